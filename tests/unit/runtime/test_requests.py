"""Request ids and trace ids of applications without Envoy before them; through Envoy: integration/ingress."""

from __future__ import annotations

import pytest

from loci_runtime.requests import request_id, trace_id

KEY = "sk-acme-0123456789ABCDEFGHIJKLMNOPQRSTUVW0y0wYF"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("asked", ["r", "x" * 128, "task-42", "a.b_c~d!#$%&'*+^`|", "9-" * 20])
def test_keeps_a_token(asked: str) -> None:
    assert request_id(asked) == asked


@pytest.mark.invariant(5)
@pytest.mark.parametrize(
    "asked",
    [None, "", "x" * 129, "two words", "a\nb", "a,b", KEY, KEY[:30], f"retry{KEY}", f"a.{KEY}", f"Bearer {KEY}"],
)
def test_replaces_another_id(asked: str | None) -> None:
    assert request_id(asked) != asked


@pytest.mark.invariant(5)
@pytest.mark.parametrize("sent", ["Bearer admin-secret", "admin-secret", "Bearer  admin-secret "])
def test_replaces_an_id_that_holds_a_credential_of_the_request(sent: str) -> None:
    assert request_id("id-admin-secret", None, sent) != "id-admin-secret"
    assert request_id("another", None, sent) == "another"


@pytest.mark.parametrize("sent", ["", " ", "Bearer", "id"])
def test_a_credential_too_short_to_be_one_replaces_no_id(sent: str) -> None:
    assert request_id("id-1", sent) == "id-1"


@pytest.mark.parametrize("given", [f"00-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-00-more"])
def test_reads_a_valid_trace_context(given: str) -> None:
    assert trace_id(given) == TRACE


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
    ],
)
def test_an_invalid_trace_context_has_no_id(given: str | None) -> None:
    assert trace_id(given) is None
