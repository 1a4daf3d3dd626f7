"""The plan, from any state of a tenant's objects: property tests over what may have been observed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loci_contract.keys import sha256
from loci_contract.registry import KeyRecord, Limits, RegistryRecord, Scope
from loci_operator.reconcile.observed import ObjectRef, Seen, ref_of, with_hash
from loci_operator.reconcile.plan import Action, Apply, Observed, Restrict, plan
from loci_operator.specs.children import children
from loci_operator.specs.context import Context, Platform
from loci_resources.base import ObjectMeta
from loci_resources.derived import effective_limits
from loci_resources.shipped import default_tiers
from loci_resources.tenant import MemoryTenant, MemoryTenantSpec

PRO = next(tier for tier in default_tiers() if tier.metadata.name == "pro")
RECORD = ObjectRef("Secret", "loci-system", "registry-acme")
API_KEYS = ObjectRef("Secret", "loci-acme", "loci-api-keys")


def _desired() -> list[dict[str, Any]]:
    tenant = MemoryTenant(metadata=ObjectMeta(name="acme", uid="u"), spec=MemoryTenantSpec(tier="pro"))
    key = KeyRecord(name="default", sha256=sha256("k"), scopes=frozenset(Scope))
    context = Context(
        tenant=tenant,
        tier=PRO,
        limits=effective_limits(tenant, PRO),
        platform=Platform(image="loci:1", embedder_url="http://e", system_namespace="loci-system"),
        keys=(key,),
        generated_keys={"default": "k"},
        ingress_token="t",
    )
    return [with_hash(manifest) for manifest in children(context)]


DESIRED = _desired()
LESS = RegistryRecord(
    tenant="acme",
    tier="pro",
    limits=Limits(requests_per_minute=1, burst=1, max_memories=1, max_graph_nodes=1),
    upstream="pod:1",
    ingress_token="t",
)
FOREIGN = ObjectRef("Secret", "loci-other", "loci-api-keys")


def seen_of(manifest: dict[str, Any]) -> st.SearchStrategy[Seen]:
    wanted = manifest["metadata"]["annotations"]["loci.dev/hash"]
    replicas = st.sampled_from([0, 1, 3]) if manifest["kind"] == "StatefulSet" else st.none()
    return st.builds(
        Seen,
        version=st.sampled_from(["1", "2"]),
        hash=st.sampled_from([wanted, "another"]),
        foreign=st.booleans(),
        deleting=st.booleans(),
        replicas=replicas,
    )


@st.composite
def observations(draw: st.DrawFn) -> Observed:
    there = [manifest for manifest in DESIRED if draw(st.booleans())]
    objects = {ref_of(manifest): draw(seen_of(manifest)) for manifest in there}
    objects[FOREIGN] = Seen("1", "x", foreign=True, deleting=False)
    applied = {ref_of(m): draw(st.sampled_from(["1", "2"])) for m in there if draw(st.booleans())}
    restriction = LESS if RECORD in objects and draw(st.booleans()) else None
    if restriction is not None:  # a record that says too much is none that was made from this manifest
        objects[RECORD] = Seen("9", "another", foreign=False, deleting=False)
    return Observed(objects, applied, restriction)


def carried_out(actions: list[Action], observed: Observed) -> Observed:
    objects, applied, restriction = dict(observed.objects), dict(observed.applied), observed.restriction
    for number, action in enumerate(actions):
        version = f"new-{number}"
        if isinstance(action, Restrict):
            objects[RECORD], restriction = Seen(version, "restricted", foreign=False, deleting=False), None
            continue
        ref, replicas = ref_of(action.manifest), action.manifest.get("spec", {}).get("replicas")
        wanted = action.manifest["metadata"]["annotations"]["loci.dev/hash"]
        objects[ref] = Seen(
            version, wanted, foreign=objects.get(ref, NOBODY).foreign, deleting=False, replicas=replicas
        )
        applied[ref] = version
        restriction = None if ref == RECORD else restriction
    return Observed(objects, applied, restriction)


NOBODY = Seen("", "", foreign=False, deleting=False)


def refs(actions: list[Action]) -> list[ObjectRef]:
    return [RECORD if isinstance(action, Restrict) else ref_of(action.manifest) for action in actions]


@given(observations())
def test_one_round_leaves_nothing_to_do(observed: Observed) -> None:
    after = carried_out(plan(DESIRED, RECORD, observed), observed)
    assert plan(DESIRED, RECORD, after) == []


@given(observations())
def test_what_is_no_longer_allowed_is_refused_before_anything_else(observed: Observed) -> None:
    actions = plan(DESIRED, RECORD, observed)
    if observed.restriction is not None:
        assert refs(actions)[0] == RECORD


@given(observations())
def test_the_ingress_learns_of_a_key_only_after_it_is_kept(observed: Observed) -> None:
    applied = [ref_of(action.manifest) for action in plan(DESIRED, RECORD, observed) if isinstance(action, Apply)]
    if API_KEYS in applied and RECORD in applied:
        assert applied.index(API_KEYS) < applied.index(RECORD)


@given(observations())
def test_no_other_tenants_object_is_touched(observed: Observed) -> None:
    for ref in refs(plan(DESIRED, RECORD, observed)):
        own = (ref.namespace, ref.name if ref.kind == "Namespace" else "")
        assert ref == RECORD or own in {("loci-acme", ""), ("", "loci-acme")}


def test_a_steady_state_has_an_empty_plan() -> None:
    objects = {
        ref_of(m): Seen(
            "1", m["metadata"]["annotations"]["loci.dev/hash"], foreign=False, deleting=False,
            replicas=m.get("spec", {}).get("replicas"),
        )
        for m in DESIRED
    }  # fmt: skip
    assert plan(DESIRED, RECORD, Observed(objects, {})) == []


def test_a_new_tenants_record_comes_last_and_its_namespace_first() -> None:
    ordered = refs(plan(DESIRED, RECORD, Observed({}, {})))
    assert (ordered[0].kind, ordered[-1]) == ("Namespace", RECORD)


def test_a_known_tenants_record_waits_for_no_pod() -> None:
    objects = {RECORD: Seen("1", "another", foreign=False, deleting=False)}
    ordered = refs(plan(DESIRED, RECORD, Observed(objects, {})))
    assert [ref.kind for ref in ordered[: ordered.index(RECORD)]] == ["Namespace", "Secret", "Secret"]


def test_a_change_of_the_record_alone_is_one_action() -> None:
    steady = carried_out(plan(DESIRED, RECORD, Observed({}, {})), Observed({}, {}))
    changed = Observed({**steady.objects, RECORD: Seen("2", "another", foreign=False, deleting=False)}, {}, LESS)
    assert [type(action) for action in plan(DESIRED, RECORD, changed)] == [Apply]
