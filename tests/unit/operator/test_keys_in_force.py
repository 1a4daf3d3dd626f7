"""Which API keys a tenant has."""

from loci_contract.keys import sha256
from loci_contract.registry import Scope
from loci_operator.api.base import ObjectMeta
from loci_operator.api.tenant import ApiKey, MemoryTenant, MemoryTenantSpec
from loci_operator.reconcile.keys import resolve_keys


def tenant(*keys: ApiKey) -> MemoryTenant:
    return MemoryTenant(metadata=ObjectMeta(name="acme"), spec=MemoryTenantSpec(tier="pro", api_keys=keys))


def made(name: str) -> str:
    return f"sk-{name}-new"


def test_a_tenant_without_keys_gets_one_with_every_scope() -> None:
    records, generated = resolve_keys(tenant(), {}, made)
    assert generated == {"default": "sk-acme-new"}
    assert [(r.name, r.sha256, r.scopes) for r in records] == [("default", sha256("sk-acme-new"), frozenset(Scope))]


def test_a_key_that_was_generated_before_stays() -> None:
    _, generated = resolve_keys(tenant(ApiKey(name="a"), ApiKey(name="b")), {"a": "old", "gone": "x"}, made)
    assert generated == {"a": "old", "b": "sk-acme-new"}


def test_a_key_of_ones_own_is_known_by_its_hash_alone() -> None:
    records, generated = resolve_keys(tenant(ApiKey(name="own", sha256="b" * 64, scopes=(Scope.READ,))), {}, made)
    assert generated == {}
    assert [(r.sha256, r.scopes) for r in records] == [("b" * 64, frozenset({Scope.READ}))]
