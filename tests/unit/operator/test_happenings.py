"""Which changes of a status become events, and that a flood of them does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loci_operator.cluster.events import Events
from loci_operator.reconcile.happenings import Happening, happenings
from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKeyStatus, Condition, MemoryTenant, MemoryTenantSpec, MemoryTenantStatus

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def status(reason: str | None, *keys: str) -> MemoryTenantStatus:
    holds: Any = "True" if reason == "Serving" else "False"
    ready = Condition(type="Ready", status=holds, reason=reason or "", message="so", last_transition_time=NOW)
    told = tuple(ApiKeyStatus(name=key, id=f"id-{key}") for key in keys)
    return MemoryTenantStatus(conditions=(ready,) if reason else (), api_keys=told, namespace="loci-acme")


def tenant(before: MemoryTenantStatus) -> MemoryTenant:
    return MemoryTenant(metadata=ObjectMeta(name="acme", uid="u"), spec=MemoryTenantSpec(tier="pro"), status=before)


CASES: dict[str, tuple[str | None, str, list[str]]] = {
    "the first pod starts": (None, "PodNotReady", []),
    "a first fault": (None, "UnknownTier", ["UnknownTier"]),
    "it comes up": ("PodNotReady", "Serving", ["Serving"]),
    "it fails": ("Serving", "OOMKilled", ["OOMKilled"]),
    "another cause": ("OOMKilled", "CrashLoopBackOff", ["CrashLoopBackOff"]),
    "nothing new": ("OOMKilled", "OOMKilled", []),
}


@pytest.mark.parametrize(("before", "after", "reasons"), CASES.values(), ids=CASES.keys())
def test_a_change_of_readiness_is_told_with_its_cause(before: str | None, after: str, reasons: list[str]) -> None:
    assert [h.reason for h in happenings(tenant(status(before)), status(after))] == reasons


def test_a_generated_key_is_told_by_name_alone() -> None:
    (told,) = happenings(tenant(status("Serving")), status("Serving", "default"))
    assert (told.reason, "loci-api-keys in namespace loci-acme" in told.note) == ("KeyGenerated", True)
    assert happenings(tenant(status("Serving", "default")), status("Serving", "default")) == []


async def test_the_same_is_told_again_after_five_minutes_only() -> None:
    written: list[str] = []
    now = NOW

    class Recorder:
        async def create(self, _kind: object, event: dict[str, Any]) -> None:
            written.append(event["reason"])

    api: Any = Recorder()
    events = Events(api, lambda: now)
    for seconds in (0, 1, 299, 301):
        now = NOW + timedelta(seconds=seconds)
        await events.tell(tenant(status(None)), [Happening("Warning", "OOMKilled", "so")])
    assert written == ["OOMKilled", "OOMKilled"]
