"""Which tenants there are, however the news of them came or did not come."""

from typing import Any

from structlog.testing import capture_logs

from loci_operator.world import Change, World

CONDITION = {"type": "Ready", "status": "True", "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def tenant(name: str, tier: str = "pro", uid: str = "", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid or name}, "spec": {"tier": tier}, **more}


def test_a_tenant_comes_changes_and_goes_as_told() -> None:
    world = World()
    assert world.observe_tenant(tenant("acme")) is Change.WANTED
    assert world.observe_tenant(tenant("acme", tier="free")) is Change.WANTED
    assert world.tenants["acme"].tenant.spec.tier == "free"
    assert world.observe_tenant(tenant("acme"), deleted=True) is Change.WANTED
    assert world.tenants == {}


def test_the_echo_of_a_status_that_the_operator_wrote_is_no_news_and_anothers_is() -> None:
    world = World()
    world.observe_tenant(tenant("acme"))
    ours, others = {"phase": "Ready", "conditions": [CONDITION]}, {"phase": "Pending"}
    world.observe_tenant(tenant("other", status=ours))
    world.written["acme"] = world.tenants["other"].tenant.status
    assert world.observe_tenant(tenant("acme", status=ours)) is Change.NOTHING
    assert world.observe_tenant(tenant("acme", status=others)) is Change.STATUS


def test_late_news_of_an_earlier_tenants_end_does_not_touch_its_successor() -> None:
    world = World()
    world.observe_tenant(tenant("acme", uid="second"))
    world.observe_tenant(tenant("acme", uid="first"), deleted=True)
    assert world.tenants["acme"].tenant.metadata.uid == "second"


def test_a_tier_concerns_its_own_tenants() -> None:
    world = World()
    for name, tier in (("acme", "pro"), ("beta", "free"), ("gamma", "pro")):
        world.observe_tenant(tenant(name, tier))
    assert world.observe_tier({"metadata": {"name": "pro"}, "spec": {}}, deleted=True) == ["acme", "gamma"]


def test_a_tier_that_cannot_be_read_is_none() -> None:
    world = World()
    limits = {"requestsPerMinute": 1, "burst": 1, "maxMemories": 1, "maxGraphNodes": 1}
    world.observe_tier({"metadata": {"name": "pro"}, "spec": limits})
    assert set(world.tiers) == {"pro"}
    world.observe_tier({"metadata": {"name": "pro"}, "spec": {**limits, "burst": "canary"}})
    assert world.tiers == {}


def test_a_spec_that_cannot_be_read_is_taken_in_with_its_problems() -> None:
    world = World()
    world.observe_tenant(tenant("acme"))
    with capture_logs() as lines:
        changed = world.observe_tenant({"metadata": {"name": "acme"}, "spec": {"tier": ["canary"]}})
    assert changed is Change.WANTED
    assert world.tenants["acme"].problems == ("spec.tier: Input should be a valid string",)
    assert [line["event"] for line in lines] == ["tenant spec is invalid"]
    assert "canary" not in str(lines)


def test_a_deletion_whose_event_was_missed_is_found_by_a_list() -> None:
    world = World()
    for name in ("gone", "there", "back"):
        world.observe_tenant(tenant(name))
    before = dict(world.tenants)
    world.observe_tenant(tenant("new"))
    world.observe_tenant(tenant("back"))  # anew after the list was asked for
    assert world.drop_missed(before, {"there"}) == ["gone"]
    assert set(world.tenants) == {"there", "back", "new"}
