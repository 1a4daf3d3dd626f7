"""Which id a tenant's name becomes, and that different names do not silently become one."""

from __future__ import annotations

import httpx
import pytest

from loci_admin.tenants.naming import tenant_id
from loci_contract.names import is_tenant_name


@pytest.mark.parametrize(
    ("name", "tenant"),
    [
        ("acme_corp", "acme-corp"),
        ("Acme Corp.", "acme-corp"),
        ("a", "a"),
        ("x" * 40, "x" * 40),
        ("a--b__c", "a-b-c"),
        ("Müller", "mueller"),
        ("Mu\u0308ller", "mueller"),
        ("Möller", "moeller"),
        ("Größe & Söhne GmbH", "groesse-soehne-gmbh"),
        ("Łódź", "lodz"),
        ("Øresund", "oresund"),
        ("đường", "duong"),
        ("O’Brien", "obrien"),
        ("Москва", "moskva"),
        ("Щукин", "shchukin"),
        ("Αθήνα", "athina"),
        ("東京", "dongjing"),
        ("서울", "seoul"),
        ("กรุงเทพ", "krungethph"),
        ("عربي", "rby"),
        ("Ａｃｍｅ", "acme"),
    ],
)
def test_a_name_is_transliterated(name: str, tenant: str) -> None:
    assert tenant_id(name) == tenant
    assert is_tenant_name(tenant)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("1st", "tenant-1st"), ("x" * 41, "x" * 40), ("system", "tenant-system"), ("System", "tenant-system")],
)
def test_a_name_without_a_valid_id_is_refused_with_a_suggestion(name: str, suggested: str) -> None:
    with pytest.raises(ValueError, match=rf"the name (must give 1 to 40 characters|is reserved).*; try {suggested}$"):
        tenant_id(name)
    assert tenant_id(suggested) == suggested


@pytest.mark.parametrize("name", ["", "---", "!?"])
def test_a_name_of_nothing_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(ValueError, match="the name must give 1 to 40 characters"):
        tenant_id(name)


async def test_names_that_give_one_id_are_told_apart(admin: httpx.AsyncClient) -> None:
    created = [await admin.post("/admin/tenants", json={"name": name, "tier": "pro"}) for name in ("Müller", "Möller")]
    assert [response.json()["tenant_id"] for response in created] == ["mueller", "moeller"]
    await admin.post("/admin/tenants", json={"name": "Mueller 2", "tier": "pro"})
    other = await admin.post("/admin/tenants", json={"name": "Mueller", "tier": "pro"})
    assert other.status_code == 409
    assert "'Müller'" in other.json()["message"]
    assert "such as mueller-3." in other.json()["message"]
    same = await admin.post("/admin/tenants", json={"name": "Müller", "tier": "pro"})
    assert same.json()["message"].startswith("Tenant mueller already exists")
