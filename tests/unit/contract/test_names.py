"""Names: what a display name becomes, and what cannot name a tenant."""

import pytest

from loci_contract import names


@pytest.mark.parametrize(
    ("display_name", "tenant"),
    [("acme_corp", "acme-corp"), ("Acme Corp.", "acme-corp"), ("a", "a"), ("x" * 40, "x" * 40), ("a--b__c", "a-b-c")],
)
def test_a_display_name_becomes_a_tenant_name(display_name: str, tenant: str) -> None:
    assert names.tenant_name(display_name) == tenant
    assert names.is_tenant_name(tenant)


@pytest.mark.parametrize("display_name", ["", "---", "1st", "x" * 41, "日本", "system", "System"])
def test_a_name_that_gives_nothing_valid_is_refused_with_the_rule(display_name: str) -> None:
    with pytest.raises(ValueError, match=r"the name (must give 1 to 40 characters|is reserved)"):
        names.tenant_name(display_name)


def test_no_tenant_gets_the_platforms_namespace() -> None:
    taken = {names.namespace(name) for name in ("system",) if names.is_tenant_name(name)}
    assert names.SYSTEM_NAMESPACE not in taken
