"""Port of registry sources, and the updates that they yield."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from loci_contract.registry import RegistryRecord


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All tenants."""

    records: tuple[RegistryRecord, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A tenant was added or changed; `written_at` is in Unix seconds, if the source knows it."""

    record: RegistryRecord
    written_at: float | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A tenant was removed, or its record is invalid, which denies access."""

    tenant: str
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """Heartbeat: no change, and the source is available."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The source is unavailable; the last known state stays in use."""

    reason: str


Update = Snapshot | Changed | Removed | Alive | Lost


class Source(Protocol):
    """Yields the content of the registry and its changes."""

    def updates(self) -> AsyncIterator[Update]:
        """Yield a snapshot, then changes, indefinitely; transient errors are not raised."""


def read_record(tenant: str, document: bytes) -> RegistryRecord | None:
    """The tenant's record, or None if the document is invalid or belongs to another tenant."""
    try:
        record = RegistryRecord.model_validate_json(document)
    except ValidationError:  # the message is not logged: it quotes secrets of the record
        return None
    return record if record.tenant == tenant else None
