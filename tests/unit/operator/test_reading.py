"""What is still known of a tenant whose spec cannot be read."""

from typing import Any

import pytest

from loci_operator.reconcile.reading import Known, read_tenant


def known(**spec: Any) -> Known:
    return read_tenant({"metadata": {"name": "acme", "uid": "u", "generation": 7}, "spec": {"tier": "pro", **spec}})


def test_a_readable_spec_has_no_problems() -> None:
    found = known(apiKeys=[{"name": "a"}])
    assert (found.problems, [key.name for key in found.allowed]) == ((), ["a"])


BAD_TIMES = ["2030-01-01T00:00:00+24:00", "2030-01-01T00:00:00+99:99", "0000-01-01T00:00:00Z", "canary"]


@pytest.mark.parametrize("time", BAD_TIMES)
def test_a_key_with_an_unreadable_expiry_goes_and_the_others_and_suspension_are_obeyed(time: str) -> None:
    found = known(apiKeys=[{"name": "good"}, {"name": "bad", "expiresAt": time}], suspend=True)
    assert [key.name for key in found.allowed] == ["good"]
    assert found.tenant.spec.suspend
    assert found.problems
    assert all(problem.startswith("spec.apiKeys.1.expiresAt: ") for problem in found.problems)
    assert time not in str(found.problems)


@pytest.mark.parametrize("keys", ["none", 7, [7], [{"name": "bad", "scopes": ["root"]}], {"name": "a"}])
def test_no_key_is_allowed_where_none_can_be_read(keys: Any) -> None:
    assert known(apiKeys=keys).allowed == ()


def test_without_keys_the_generated_one_stays_allowed() -> None:
    assert [key.name for key in known(tier=5).allowed] == ["default"]


def test_a_suspension_that_cannot_be_read_is_taken_as_one() -> None:
    assert known(suspend={"since": "yesterday"}).tenant.spec.suspend


def test_a_status_that_cannot_be_read_is_written_anew() -> None:
    document = {"metadata": {"name": "acme"}, "spec": {"tier": "pro"}, "status": {"conditions": 7}}
    found = read_tenant(document)
    assert (found.problems, found.tenant.status.conditions) == ((), ())


@pytest.mark.parametrize("spec", [None, [], "text"])
def test_a_spec_that_is_none_allows_no_key(spec: Any) -> None:
    found = read_tenant({"metadata": {"name": "acme"}, "spec": spec})
    assert found.allowed == ()
    assert found.problems


def test_issued_keys_are_read_beside_declared_ones() -> None:
    odd = {"name": "odd", "expiresAt": "0000-01-01T00:00:00Z"}
    found = known(apiKeys=[odd, {"name": "a"}], issuedKeys=[{"name": "odd"}, {"name": "b"}, odd | {"name": "c"}])
    assert [key.name for key in found.allowed] == ["a", "b"]
