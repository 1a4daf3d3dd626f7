"""Parse MemoryTenant objects leniently, including those whose spec this version considers invalid.

An invalid spec must still be able to revoke access: its valid parts restrict the tenant at the ingress, and anything
doubtful (a key with an invalid expiry, an invalid `suspend`) fails closed, that is, counts as not allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKey, MemoryTenant, MemoryTenantSpec, MemoryTenantStatus

Document = Mapping[str, Any]
_Model = TypeVar("_Model", bound=BaseModel)
_BOOL = TypeAdapter(bool)


@dataclass(frozen=True)
class Known:
    """A tenant parsed from its object.

    Args:
        tenant: the tenant; if the spec is invalid, only its valid parts.
        allowed: API keys that are certainly allowed.
        problems: invalid spec fields with the reason, without their values.
    """

    tenant: MemoryTenant
    allowed: tuple[ApiKey, ...]
    problems: tuple[str, ...] = ()


def read_tenant(document: Document) -> Known:
    """Parse a tenant's object; never raises for an invalid spec or status."""
    metadata = ObjectMeta.model_validate(document["metadata"])
    status = _read(MemoryTenantStatus, document.get("status")) or MemoryTenantStatus()
    raw = document.get("spec")
    try:
        spec = MemoryTenantSpec.model_validate(raw)
    except ValidationError as error:
        remnant = _remnant(raw if isinstance(raw, Mapping) else {})
        tenant = MemoryTenant(metadata=metadata, spec=remnant, status=status)
        return Known(tenant, _allowed(raw), _problems(error))
    return Known(MemoryTenant(metadata=metadata, spec=spec, status=status), spec.keys_in_force)


def _remnant(raw: Document) -> MemoryTenantSpec:
    """Placeholder for an invalid spec that only keeps whether the tenant is suspended."""
    return MemoryTenantSpec(tier="unreadable", suspend=_is_suspended(raw.get("suspend", False)))


def _is_suspended(raw: Any) -> bool:
    try:
        return _BOOL.validate_python(raw)
    except ValidationError:
        return True


def _allowed(raw: Any) -> tuple[ApiKey, ...]:
    """Valid keys of an invalid spec; none if the list itself is invalid."""
    if not isinstance(raw, Mapping):
        return ()
    declared, issued = (raw.get(field) or [] for field in ("apiKeys", "issuedKeys"))
    if not declared and not issued:
        return MemoryTenantSpec(tier="unreadable").keys_in_force
    if not isinstance(declared, list):
        return ()
    names = {key.get("name") for key in declared if isinstance(key, Mapping)}
    readable = [_read(ApiKey, key) for key in declared]
    if isinstance(issued, list):
        readable += [key for entry in issued if (key := _read(ApiKey, entry)) and key.name not in names]
    return tuple(key for key in readable if key)


def _read(model: type[_Model], raw: Any) -> _Model | None:
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def _problems(error: ValidationError) -> tuple[str, ...]:
    return tuple(
        f"spec.{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
