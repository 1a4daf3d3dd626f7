"""The tenant's limits as a file that the operator keeps; a change takes effect without a restart."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from loci_contract.registry import Limits


class LimitsFile:
    """Gives the file's present content; reads it again only when its modification time changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1
        self._limits = Limits.model_validate_json(path.read_bytes())

    def __call__(self) -> Limits:
        """The limits now; those read last while the file is missing or broken."""
        with contextlib.suppress(OSError, ValueError):
            modified = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - a microsecond on the way of every write
            if modified != self._read_at:
                self._limits = Limits.model_validate_json(self._path.read_bytes())
                self._read_at = modified
        return self._limits
