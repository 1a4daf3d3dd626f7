"""Which API keys a tenant has."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loci_contract.keys import generate, sha256
from loci_contract.registry import KeyRecord, Limits, RegistryRecord, Scope, TenantState
from loci_operator.reconcile.keys import resolve_keys, restricted
from loci_operator.reconcile.reading import Known
from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKey, MemoryTenant, MemoryTenantSpec


def tenant(*keys: ApiKey) -> MemoryTenant:
    return MemoryTenant(metadata=ObjectMeta(name="acme"), spec=MemoryTenantSpec(tier="pro", api_keys=keys))


def known(of: MemoryTenant) -> Known:
    return Known(of, of.spec.keys_in_force)


OLD, NEW = generate("acme"), generate("acme")


def made(name: str) -> str:
    assert name == "acme"
    return NEW


def test_a_tenant_without_keys_gets_one_with_every_scope() -> None:
    records, generated = resolve_keys(tenant(), [{}], made)
    assert generated == {"default": NEW}
    assert [(r.name, r.sha256, r.scopes) for r in records] == [("default", sha256(NEW), frozenset(Scope))]


def test_a_key_that_was_generated_before_stays() -> None:
    _, generated = resolve_keys(tenant(ApiKey(name="a"), ApiKey(name="b")), [{"a": OLD, "gone": OLD}], made)
    assert generated == {"a": OLD, "b": NEW}


@pytest.mark.parametrize("spoilt", ["", "hunter2", OLD[:-1], generate("other")], ids=["empty", "odd", "cut", "others"])
def test_a_key_that_somebody_spoilt_is_made_anew(spoilt: str) -> None:
    _, generated = resolve_keys(tenant(ApiKey(name="a")), [{"a": spoilt}], made)
    assert generated == {"a": NEW}


def test_a_key_of_ones_own_is_known_by_its_hash_alone() -> None:
    records, generated = resolve_keys(tenant(ApiKey(name="own", sha256="b" * 64, scopes=(Scope.READ,))), [{}], made)
    assert generated == {}
    assert [(r.sha256, r.scopes) for r in records] == [("b" * 64, frozenset({Scope.READ}))]


def record(*keys: KeyRecord) -> RegistryRecord:
    limits = Limits(requests_per_minute=1, burst=1, max_memories=1, max_graph_nodes=1)
    return RegistryRecord(tenant="acme", tier="pro", limits=limits, keys=keys, upstream="pod:1", ingress_token="t")


def held(name: str, key: str = OLD, scopes: frozenset[Scope] = frozenset(Scope), **more: Any) -> KeyRecord:
    return KeyRecord(name=name, sha256=sha256(key), scopes=scopes, **more)


def test_restricting_takes_what_the_spec_no_longer_allows_and_adds_nothing() -> None:
    before = record(held("kept"), held("gone"), held("replaced"), held("own", "own key"), held("less"))
    soon = datetime(2026, 1, 1, tzinfo=UTC)
    wanted = tenant(
        ApiKey(name="kept"),
        ApiKey(name="replaced", sha256="d" * 64),
        ApiKey(name="own"),  # its own hash no longer: a key is to be generated
        ApiKey(name="less", scopes=(Scope.READ,), expires_at=soon),
        ApiKey(name="new"),
    )
    after = restricted(before, known(wanted), {"kept": OLD, "less": OLD})
    assert after.keys == (held("kept"), held("less", scopes=frozenset({Scope.READ}), expires_at=soon))
    assert after.model_copy(update={"keys": before.keys}) == before


def test_restricting_leaves_what_a_greater_scope_implied() -> None:
    before = record(held("a", scopes=frozenset({Scope.WRITE})))
    after = restricted(before, known(tenant(ApiKey(name="a", scopes=(Scope.READ,)))), {"a": OLD})
    assert after.keys == (held("a", scopes=frozenset({Scope.READ})),)


def test_restricting_suspends_and_never_resumes() -> None:
    suspended = record().model_copy(update={"state": TenantState.SUSPENDED})
    paused = MemoryTenant(metadata=ObjectMeta(name="acme"), spec=MemoryTenantSpec(tier="pro", suspend=True))
    assert restricted(record(), known(paused), {}).state is TenantState.SUSPENDED
    assert restricted(suspended, known(tenant()), {}).state is TenantState.SUSPENDED


def test_a_key_that_could_not_be_kept_yet_is_not_generated_again() -> None:
    _, generated = resolve_keys(tenant(ApiKey(name="a"), ApiKey(name="b")), [{"a": OLD}, {"a": NEW, "b": OLD}], made)
    assert generated == {"a": OLD, "b": OLD}
