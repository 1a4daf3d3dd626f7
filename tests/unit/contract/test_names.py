"""Names: what a display name becomes, and what cannot name a tenant."""

from loci_contract import names


def test_no_tenant_gets_the_platforms_namespace() -> None:
    taken = {names.namespace(name) for name in ("system",) if names.is_tenant_name(name)}
    assert names.SYSTEM_NAMESPACE not in taken
