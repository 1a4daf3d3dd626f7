"""What the operator says of a tenant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from loci_contract.registry import KeyRecord, Limits, Scope
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.status import Facts, status, status_patch
from loci_resources.base import ObjectMeta
from loci_resources.errors import RejectedError
from loci_resources.tenant import MemoryTenant, MemoryTenantSpec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(requests_per_minute=100, burst=20, max_memories=1_000, max_graph_nodes=5_000)
KEY = KeyRecord(name="default", sha256="a" * 64, scopes=frozenset(Scope))
SERVING = Facts(limits=LIMITS, keys=(KEY,), endpoint="http://pod:8080", applied=True, pod_ready=True)


def tenant(*, suspend: bool = False, generation: int = 3) -> MemoryTenant:
    metadata = ObjectMeta(name="acme", uid="u", generation=generation)
    return MemoryTenant(metadata=metadata, spec=MemoryTenantSpec(tier="pro", suspend=suspend))


def conditions(facts: Facts, *, suspend: bool = False) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in status(tenant(suspend=suspend), facts, NOW).conditions}


def test_a_serving_tenant_is_ready_in_every_aspect() -> None:
    found = conditions(SERVING)
    assert found.pop("Suspended") == ("False", "NotSuspended")
    assert {holds for holds, _ in found.values()} == {"True"}
    assert status(tenant(), SERVING, NOW).phase == "Ready"


def test_a_pod_that_is_not_ready_keeps_the_tenant_from_being_ready() -> None:
    found = conditions(replace(SERVING, pod_ready=False))
    assert found["DataPlaneReady"] == found["Ready"] == ("False", "PodNotReady")
    assert found["StoresReady"] == ("True", "Applied")


def test_what_is_being_tried_again_says_why() -> None:
    made = status(tenant(), Facts(failed="quota exceeded"), NOW)
    ready = next(c for c in made.conditions if c.type == "Ready")
    assert (ready.status, ready.reason, ready.message) == ("False", "Retrying", "quota exceeded")
    assert made.phase == "Pending"


def test_a_rejected_spec_is_told_by_the_aspect_that_it_concerns_and_by_ready() -> None:
    found = conditions(Facts(rejected=RejectedError("StoresReady", "ProfileNotSupported", "Use embedded")))
    assert found["StoresReady"] == found["Ready"] == ("False", "ProfileNotSupported")


def test_a_suspended_tenant_says_so() -> None:
    found = conditions(SERVING, suspend=True)
    assert (found["Suspended"], found["Ready"]) == (("True", "SpecSuspend"), ("False", "Suspended"))
    assert status(tenant(suspend=True), SERVING, NOW).phase == "Suspended"


def test_a_tenant_that_is_going_says_so() -> None:
    going = tenant()
    going = going.model_copy(update={"metadata": going.metadata.model_copy(update={"deletion_timestamp": NOW})})
    made = status(going, Facts(), NOW)
    assert made.phase == "Deleting"
    assert {c.type: c.status for c in made.conditions} == {"Deleting": "True", "Ready": "False"}


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    before = status(tenant(), SERVING, NOW)
    later = NOW + timedelta(hours=1)
    held = tenant(generation=4).model_copy(update={"status": before})
    same = status(held, SERVING, later)
    assert {c.last_transition_time for c in same.conditions} == {NOW}
    changed = status(held, replace(SERVING, pod_ready=False), later)
    assert {c.type for c in changed.conditions if c.last_transition_time == later} == {"DataPlaneReady", "Ready"}


def test_nothing_is_patched_when_nothing_changed() -> None:
    made = status(tenant(), SERVING, NOW)
    assert status_patch(made, made) is None


def test_a_patch_removes_what_is_no_longer_so() -> None:
    before = status(tenant(), SERVING, NOW)
    patch = status_patch(before, status(tenant(), Facts(rejected=RejectedError("Ready", "R", "m")), NOW))
    assert patch is not None
    assert patch["limits"] is None
    assert patch["endpoint"] is None


def test_a_key_is_told_by_its_public_id_alone() -> None:
    document = status(tenant(), SERVING, NOW).document()
    assert document["apiKeys"] == [{"name": "default", "id": "key_" + "a" * 12, "state": "Active"}]


def test_a_key_that_does_not_work_says_why() -> None:
    keys = (
        KEY,
        KEY.model_copy(update={"name": "again"}),
        KEY.model_copy(update={"name": "old", "sha256": "b" * 64, "expires_at": NOW}),
        KEY.model_copy(update={"name": "theirs", "sha256": "c" * 64}),
    )
    made = status(tenant(), replace(SERVING, keys=keys, foreign_keys={"c" * 64}), NOW)
    assert {key.name: key.state.value for key in made.api_keys} == {
        "default": "Active",
        "again": "Duplicate",
        "old": "Expired",
        "theirs": "Foreign",
    }


def test_a_terminating_namespace_is_a_phase_of_its_own() -> None:
    rejected = RejectedError("NamespaceReady", "NamespaceTerminating", "wait")
    assert status(tenant(), Facts(rejected=rejected), NOW).phase == "Terminating"


def test_a_tenant_is_ready_without_its_cache_and_says_what_it_waits_for() -> None:
    found = conditions(replace(SERVING, cache_problem=Problem("StoreAway", "Redis is unavailable")))
    assert found["StoresReady"] == ("False", "StoreAway")
    assert found["Ready"][0] == "True"
