"""How the registry's content and its changes are told: the port of its sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from loci_contract.registry import RegistryRecord


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every tenant there is."""

    records: tuple[RegistryRecord, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A tenant came or changed; `written_at` in Unix seconds, where the source knows it."""

    record: RegistryRecord
    written_at: float | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A tenant went, or its record cannot be read: nobody passes by a record that is in doubt."""

    tenant: str
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing changed, and the source is there."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The source cannot be reached; the last state goes on to serve."""

    reason: str


Update = Snapshot | Changed | Removed | Alive | Lost


class Source(Protocol):
    """Says what the registry holds and how it changes."""

    def updates(self) -> AsyncIterator[Update]:
        """A snapshot, then changes, for ever; never raises for what may heal."""


def read_record(tenant: str, document: bytes) -> RegistryRecord | None:
    """A tenant's record, or None when the document is not one of that tenant."""
    try:
        record = RegistryRecord.model_validate_json(document)
    except ValidationError:  # not logged with its text, which quotes the record's secrets
        return None
    return record if record.tenant == tenant else None
