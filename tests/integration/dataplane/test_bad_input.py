"""Bad input gets a 4xx in the one error shape; none repeats what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_contract.headers import INGRESS_TOKEN

M, S = "/v1/memories", "/v1/memories/search"
Row = tuple[str, str, bytes, int, str | None]
"""Method, path, body, status, and the field that the answer names."""

ROWS: dict[str, Row] = {
    "malformed JSON": ("POST", M, b'{"content": ', 400, None),
    "invalid UTF-8": ("POST", M, b'{"content": "canary\xff"}', 400, None),
    "nested without end": ("POST", M, b"[" * 100_000, 400, None),
    "a number without end": ("POST", M, b'{"content": ' + b"9" * 5_000 + b"}", 400, None),
    "no body": ("POST", M, b"", 422, "body"),
    "a list": ("POST", M, b"[]", 422, "body"),
    "null": ("POST", M, b"null", 422, "body"),
    "wrong type": ("POST", M, b'{"content": ["canary"]}', 422, "body.content"),
    "no content": ("POST", M, b"{}", 422, "body.content"),
    "empty content": ("POST", M, b'{"content": ""}', 422, "body.content"),
    "blank content": ("POST", M, b'{"content": " \\n "}', 422, "body.content"),
    "half a surrogate pair": ("POST", M, b'{"content": "\\ud800"}', 422, "body.content"),
    "long content": ("POST", M, b'{"content": "' + b"canary" * 6_000 + b'"}', 422, "body.content"),
    "1 MiB of content": ("POST", M, b'{"content": "' + b"x" * 2**20 + b'"}', 413, None),
    "unknown field": ("POST", M, b'{"content": "a", "colour": "canary"}', 422, "body.colour"),
    "metadata that is no object": ("POST", M, b'{"content": "a", "metadata": "canary"}', 422, "body.metadata"),
    "NaN": ("POST", M, b'{"content": "a", "metadata": {"a": NaN}}', 422, "body.metadata"),
    "a number of 70 bits": ("POST", M, b'{"content": "a", "metadata": {"a": %d}}' % 2**70, 422, "body.metadata"),
    "deep metadata": (
        "POST",
        M,
        b'{"content": "a", "metadata": {"a": %b}}' % (b"[" * 99 + b"]" * 99),
        422,
        "body.metadata",
    ),
    "no time": ("POST", M, b'{"content": "a", "created_at": "canary"}', 422, "body.created_at"),
    "time before year 1": (
        "POST",
        M,
        b'{"content": "a", "created_at": "0001-01-01T00:00:00+01:00"}',
        422,
        "body.created_at",
    ),
    "limit": ("GET", f"{M}?limit=canary", b"", 422, "query.limit"),
    "limit too large": ("GET", f"{M}?limit=201", b"", 422, "query.limit"),
    "unknown query parameter": ("GET", f"{M}?colour=canary", b"", 422, "query.colour"),
    "order": ("GET", f"{M}?order=canary", b"", 422, "query.order"),
    "two unlike parameters": ("GET", f"{M}?user_id=a&user=canary", b"", 422, "query.user"),
    "a parameter twice": ("GET", f"{M}?user_id=canary&user_id=b", b"", 422, "query.user_id"),
    "a parameter of a request without any": ("GET", f"{M}/mem_1?user_id=canary", b"", 422, "query.user_id"),
    "a parameter instead of a field": ("POST", f"{M}?user_id=canary", b'{"content": "a"}', 422, "query.user_id"),
    "a parameter of a deletion": ("DELETE", f"{M}/mem_1?user_id=canary", b"", 422, "query.user_id"),
    "a number for a time": ("POST", M, b'{"content": "a", "created_at": 20260131}', 422, "body.created_at"),
    "a past expiry": ("POST", M, b'{"content": "a", "expires_at": "2020-01-01T00:00:00Z"}', 422, "body.expires_at"),
    "a blank id": ("POST", M, b'{"content": "a", "user_id": " "}', 422, "body.user_id"),
    "a filter that is no path": (
        "POST",
        S,
        b'{"query": "a", "filters": {"metadata.": "canary"}}',
        422,
        "body.filters.metadata.",
    ),
    "a filter with a number for a time": (
        "POST",
        S,
        b'{"query": "a", "filters": {"created_at": {"gt": 1700000000}}}',
        422,
        "body.filters.created_at.gt",
    ),
    "cursor of another service": ("GET", f"{M}?cursor=MTIz", b"", 422, "query.cursor"),
    "cursor": ("GET", f"{M}?cursor=canary", b"", 422, "query.cursor"),
    "cursor beyond every place": ("GET", f"{M}?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", b"", 422, "query.cursor"),
    "patch of content to null": ("PATCH", f"{M}/mem_1", b'{"content": null}', 422, "body.content"),
    "put without content": ("PUT", f"{M}/mem_1", b"{}", 422, "body.content"),
    "search without a query": ("POST", S, b"{}", 422, "body.query"),
    "search mode": ("POST", S, b'{"query": "a", "mode": "canary"}', 422, "body.mode"),
    "filter field": ("POST", S, b'{"query": "a", "filters": {"colour": "canary"}}', 422, "body.filters.colour"),
    "filter operator": (
        "POST",
        S,
        b'{"query": "a", "filters": {"user_id": {"like": "canary"}}}',
        422,
        "body.filters.user_id.like",
    ),
    "filter field that is no text": ("POST", S, b'{"query": "a", "filters": {"\\ud800": 1}}', 422, "body.filters"),
    "filters without end": (
        "POST",
        S,
        b'{"query": "a", "filters": {"OR": [%b]}}' % b",".join([b"{}"] * 99_999),
        422,
        "body.filters",
    ),
    "filters that are no object": ("POST", S, b'{"query": "a", "filters": ["canary"]}', 422, "body.filters"),
    "unknown memory": ("GET", f"{M}/mem_canary", b"", 404, None),
    "odd memory": ("GET", f"{M}/%00%ff%22canary", b"", 404, None),
    "unknown path": ("GET", "/v1/canary", b"", 404, None),
    "slash at the end": ("GET", f"{M}/", b"", 404, None),
    "wrong method": ("PATCH", M, b"", 405, None),
    "method nobody has": ("CANARY", M, b"", 405, None),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_bad_input_gets_a_4xx_in_the_one_shape(acme: httpx.AsyncClient, row: Row) -> None:
    method, path, body, status, field = row
    answer = await acme.request(method, path, content=body, headers={"x-request-id": "req-1"})
    assert answer.status_code == status, answer.text
    shape = ErrorBody.model_validate_json(answer.content)
    assert shape.request_id == answer.headers["x-request-id"] == "req-1"
    assert "canary" not in answer.text.lower()
    assert [entry.field for entry in shape.fields or []] == ([field] if field else [])


async def test_a_body_that_never_says_its_size_is_cut_off(acme: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    answer = await acme.post(M, content=endless())
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")


async def test_a_body_is_json_whatever_its_header_says(acme: httpx.AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await acme.post(M, content=b'{"content": "as curl -d sends it"}', headers=form)).status_code == 201


async def test_the_longest_content_fits_however_it_is_written(acme: httpx.AsyncClient) -> None:
    assert (await acme.post(M, content=b'{"content": "' + b"\\ud83e\\udda6" * 32_768 + b'"}')).status_code == 201


REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", M, {"content": "a"}),
    ("GET", M, None),
    ("GET", f"{M}/mem_1", None),
    ("PUT", f"{M}/mem_1", {"content": "a"}),
    ("PATCH", f"{M}/mem_1", {"content": "a"}),
    ("DELETE", f"{M}/mem_1", None),
    ("POST", S, {"query": "a"}),
    ("GET", "/v1/usage", None),
    ("GET", "/health", None),
    ("GET", "/unknown", None),
    ("GET", "/livez/", None),
    ("GET", "//livez", None),
]


@pytest.mark.invariant(1)
@pytest.mark.parametrize("token", [None, "", "token-of-the-ingres", "token-of-another"])
@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_nothing_answers_without_the_ingress_token(
    acme: httpx.AsyncClient, method: str, path: str, body: Any, token: str | None
) -> None:
    acme.headers.pop(INGRESS_TOKEN)
    headers = {INGRESS_TOKEN: token} if token is not None else {}
    answer = await acme.request(method, path, json=body, headers=headers)
    assert answer.status_code == 403, answer.text
    assert ErrorBody.model_validate_json(answer.content).error == "forbidden"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_and_metrics_need_no_token(acme: httpx.AsyncClient, path: str) -> None:
    acme.headers.pop(INGRESS_TOKEN)
    assert (await acme.get(path)).status_code == 200
