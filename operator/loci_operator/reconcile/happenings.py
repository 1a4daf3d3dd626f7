"""Which changes of a tenant's status are worth an Event. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from loci_contract.names import API_KEYS_SECRET
from loci_resources.tenant import Condition, MemoryTenant, MemoryTenantStatus

_WANTED: Final = {"Suspended", "Deleting"}
"""Reasons for which a tenant does not serve because that was asked for."""
_STARTING: Final = {"PodNotReady", "StoreStarting"}


class Happening(NamedTuple):
    """An Event to be: `reason` is one word, the note says what to do; it holds no secret."""

    type: Literal["Normal", "Warning"]
    reason: str
    note: str


def happenings(tenant: MemoryTenant, after: MemoryTenantStatus) -> list[Happening]:
    """Return the events between the tenant's present status and the next one."""
    return [*_generated_keys(tenant, after), *_readiness(_ready(tenant.status), _ready(after))]


def _readiness(before: Condition | None, after: Condition | None) -> Iterator[Happening]:
    if after is None or (before and (before.status, before.reason) == (after.status, after.reason)):
        return
    if after.status == "True":
        yield Happening("Normal", "Serving", "The tenant's requests are served.")
    elif before or after.reason not in _STARTING:
        yield Happening("Normal" if after.reason in _WANTED | _STARTING else "Warning", after.reason, after.message)


def _generated_keys(tenant: MemoryTenant, after: MemoryTenantStatus) -> Iterator[Happening]:
    generated = {key.name for key in tenant.spec.keys_in_force if key.sha256 is None}
    before = {key.id for key in tenant.status.api_keys}
    for key in after.api_keys:
        if key.name in generated and key.id not in before:
            place = f"Secret {API_KEYS_SECRET} in namespace {after.namespace}"
            yield Happening("Normal", "KeyGenerated", f"The API key {key.name} was generated; it is in {place}.")


def _ready(status: MemoryTenantStatus) -> Condition | None:
    return next((condition for condition in status.conditions if condition.type == "Ready"), None)
