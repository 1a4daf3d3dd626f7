"""Which tenants there are, however the news of them came or did not come."""

from typing import Any

from structlog.testing import capture_logs

from loci_operator.world import World


def tenant(name: str, tier: str = "pro") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "spec": {"tier": tier}}


def test_a_tenant_comes_changes_and_goes_as_told() -> None:
    world = World()
    assert world.told_of_tenant(tenant("acme")) == "acme"
    world.told_of_tenant(tenant("acme", tier="free"))
    assert world.tenants["acme"].spec.tier == "free"
    assert world.told_of_tenant(tenant("acme"), deleted=True) == "acme"
    assert world.tenants == {}


def test_late_news_of_an_earlier_tenants_end_does_not_touch_its_successor() -> None:
    world = World()
    world.told_of_tenant({**tenant("acme"), "metadata": {"name": "acme", "uid": "second"}})
    world.told_of_tenant({**tenant("acme"), "metadata": {"name": "acme", "uid": "first"}}, deleted=True)
    assert world.tenants["acme"].metadata.uid == "second"


def test_a_tier_concerns_its_own_tenants() -> None:
    world = World()
    for name, tier in (("acme", "pro"), ("beta", "free"), ("gamma", "pro")):
        world.told_of_tenant(tenant(name, tier))
    assert world.told_of_tier({"metadata": {"name": "pro"}, "spec": {}}, deleted=True) == ["acme", "gamma"]


def test_one_that_cannot_be_read_is_reported_and_changes_nothing() -> None:
    world = World()
    world.told_of_tenant(tenant("acme"))
    with capture_logs() as lines:
        world.told_of_tenant({"metadata": {"name": "acme"}, "spec": {"tier": ["canary"]}})
    assert world.tenants["acme"].spec.tier == "pro"
    assert [line["event"] for line in lines] == ["cannot read object"]
    assert "canary" not in str(lines)


def test_a_deletion_that_nobody_told_of_is_found_by_a_list() -> None:
    world = World()
    for name in ("gone", "there", "back"):
        world.told_of_tenant(tenant(name))
    before = dict(world.tenants)
    world.told_of_tenant(tenant("new"))
    world.told_of_tenant(tenant("back"))  # anew after the list was asked for
    assert world.forget_gone(before, {"there"}) == ["gone"]
    assert set(world.tenants) == {"there", "back", "new"}
