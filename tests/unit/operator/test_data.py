"""When a tenant's data counts as lost, and what acknowledges it."""

import pytest

from loci_operator.reconcile.data import ACCEPT_LOSS, check_share, share_data, volume_data, volume_loss
from loci_operator.reconcile.observed import Claim
from loci_resources.base import ObjectMeta
from loci_resources.errors import RejectedError
from loci_resources.storage import StoreKind
from loci_resources.tenant import DataStatus, MemoryTenant, MemoryTenantSpec, MemoryTenantStatus

OLD = Claim("old", bound=True, requested="10Gi", capacity="10Gi", class_name="fast")
NEW = Claim("new", bound=True, requested="10Gi", capacity="10Gi", class_name="fast")


def tenant(recorded: str | None, accepts: str = "", records: StoreKind = StoreKind.EMBEDDED) -> MemoryTenant:
    data = DataStatus(records=records, id=recorded) if recorded else None
    annotations = {ACCEPT_LOSS: accepts} if accepts else {}
    metadata = ObjectMeta(name="acme", uid="u", annotations=annotations)
    return MemoryTenant(metadata=metadata, spec=MemoryTenantSpec(tier="pro"), status=MemoryTenantStatus(data=data))


CASES: dict[str, tuple[MemoryTenant, Claim | None, bool, bool]] = {
    "nothing was recorded": (tenant(None), None, False, False),
    "it is the recorded one": (tenant("old"), OLD, True, False),
    "the set makes its claim anew": (tenant("old"), None, True, False),
    "claim and set are gone": (tenant("old"), None, False, True),
    "the claim is another": (tenant("old"), NEW, True, True),
    "that is acknowledged": (tenant("old", accepts="old"), NEW, True, False),
    "an earlier loss was acknowledged": (tenant("old", accepts="older"), NEW, True, True),
    "everything is acknowledged at once": (tenant("old", accepts="true"), NEW, True, True),
}


@pytest.mark.parametrize(("seen", "claim", "has_set", "lost"), CASES.values(), ids=CASES.keys())
def test_a_volume_is_lost_when_the_recorded_one_is_gone(
    seen: MemoryTenant, claim: Claim | None, *, has_set: bool, lost: bool
) -> None:
    problem = volume_loss(seen, claim, has_set=has_set)
    assert (problem is not None) is lost
    assert problem is None or problem.message.endswith(f"{ACCEPT_LOSS}=old")


def test_a_claim_is_recorded_once_it_has_a_volume() -> None:
    assert volume_data(StoreKind.EMBEDDED, Claim("u", bound=False, requested="1Gi", capacity="", class_name="")) is None
    assert volume_data(StoreKind.DEDICATED, OLD) == DataStatus(records=StoreKind.DEDICATED, id="old", size="10Gi")


def test_a_share_keeps_its_identity_until_its_loss_is_acknowledged() -> None:
    first = share_data(tenant(None))
    recorded = tenant(first.id, records=StoreKind.SHARED)
    assert share_data(recorded) == first
    second = share_data(tenant(first.id, accepts=first.id, records=StoreKind.SHARED))
    assert second.id != first.id
    with pytest.raises(RejectedError, match="no longer hold"):
        check_share(recorded, found=False)
    check_share(tenant(first.id, accepts=first.id, records=StoreKind.SHARED), found=False)
    check_share(recorded, found=True)
