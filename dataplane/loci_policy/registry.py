"""Where the table's content comes from: a stream of updates, applied as they come; sources are beside their port."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from pydantic import ValidationError
from watchfiles import awatch

from loci_contract.registry import RegistryRecord
from loci_policy.metrics import Metrics
from loci_policy.table import Table


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


class Registry:
    """Keeps a table as a source says, and knows how far that can be trusted."""

    def __init__(self, table: Table, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self.table = table
        self.synced = False
        self.connected = False
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger()

    async def follow(self, source: Source) -> None:
        """Apply a source's updates for as long as it has some."""
        async for update in source.updates():
            self.apply(update)

    def apply(self, update: Update) -> None:
        """Take one update in; the next decision obeys it."""
        match update:
            case Snapshot(records):
                self.table.replace(records)
                self.synced = True
            case Changed(record, written_at):
                self.table.put(record)
                self._observe(written_at)
            case Removed(tenant, invalid):
                self.table.remove(tenant)
                if invalid:
                    self._metrics.invalid.inc()
                    self._log.error("registry record is not valid; its tenant is refused", tenant_id=tenant)
            case Alive() | Lost():
                pass
        self._note(update)

    def _observe(self, written_at: float | None) -> None:
        if written_at is not None:
            self._metrics.propagation.observe(max(0.0, self._clock() - written_at))

    def _note(self, update: Update) -> None:
        connected = not isinstance(update, Lost)
        if connected is not self.connected:
            if isinstance(update, Lost):
                self._log.warning("registry lost", reason=update.reason)
            else:
                self._log.info("registry connected")
        self.connected = connected
        self._metrics.connected.set(connected)
        self._metrics.synced.set(self.synced)
        self._metrics.tenants.set(len(self.table))
        if connected:
            self._metrics.last_contact.set(self._clock())


_STEP_MS: Final = 10
_DEBOUNCE_MS: Final = 50
_REREAD_MS: Final = 500
"""How often the folder is read though nothing was reported: what changes before its watch is set up never is."""


class FolderSource:
    """Records as `<tenant>.json` files of a folder, read again when one changes: for tests and benches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def updates(self) -> AsyncGenerator[Update, None]:
        """The folder's records now and after each change."""
        for update in self._read():
            yield update
        watch = awatch(
            self._folder, step=_STEP_MS, debounce=_DEBOUNCE_MS, rust_timeout=_REREAD_MS, yield_on_timeout=True
        )
        async for _ in watch:
            for update in self._read():
                yield update

    def _read(self) -> list[Update]:
        records, invalid = [], []
        for path in sorted(self._folder.glob("*.json")):
            try:
                record = read_record(path.stem, path.read_bytes())
            except FileNotFoundError:  # it went meanwhile
                continue
            if record:
                records.append(record)
            else:
                invalid.append(Removed(path.stem, invalid=True))
        return [Snapshot(tuple(records)), *invalid]


def read_record(tenant: str, document: bytes) -> RegistryRecord | None:
    """A tenant's record, or None when the document is not one of that tenant."""
    try:
        record = RegistryRecord.model_validate_json(document)
    except ValidationError:  # not logged with its text, which quotes the record's secrets
        return None
    return record if record.tenant == tenant else None
