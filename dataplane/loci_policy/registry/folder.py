"""The registry as files of a folder: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from watchfiles import awatch

from loci_policy.registry.updates import Removed, Snapshot, Update, read_record

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
