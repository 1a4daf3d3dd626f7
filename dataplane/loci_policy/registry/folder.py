"""Registry source that reads files of a folder, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from watchfiles import awatch

from loci_policy.registry.updates import Removed, Snapshot, Update, read_record

_STEP_MS: Final = 10
_DEBOUNCE_MS: Final = 50
_REREAD_MS: Final = 500
"""Interval of unconditional re-reads, since changes made before the file watch is set up are not reported."""


class FolderSource:
    """Reads `<tenant>.json` records from a folder and follows their changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def updates(self) -> AsyncGenerator[Update, None]:
        """Yield a snapshot of the folder now and after each change."""
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
            except FileNotFoundError:  # deleted meanwhile
                continue
            if record:
                records.append(record)
            else:
                invalid.append(Removed(path.stem, invalid=True))
        return [Snapshot(tuple(records)), *invalid]
