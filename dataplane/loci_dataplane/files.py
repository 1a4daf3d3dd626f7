"""Files that the operator mounts into the pod; changes take effect without a restart."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from loci_contract.registry import Limits

Content = TypeVar("Content")


class WatchedFile(Generic[Content]):
    """Cached, parsed content of a file, reloaded when its modification time changes.

    Args:
        path: the file.
        parse: parses the file's bytes; raises ValueError if they are invalid.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], Content]) -> None:
        self._path = path
        self._parse = parse
        self._read_at = -1
        self._content = parse(path.read_bytes())

    def __call__(self) -> Content:
        """Current content; the last valid one while the file is missing or invalid."""
        with contextlib.suppress(OSError, ValueError):
            modified = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - saves a microsecond per request
            if modified != self._read_at:
                self._read_at = modified
                self._content = self._parse(self._path.read_bytes())
        return self._content


def limits_file(path: Path) -> WatchedFile[Limits]:
    """Limits of the tenant, from a JSON file."""
    return WatchedFile(path, Limits.model_validate_json)


def token_file(path: Path) -> WatchedFile[bytes]:
    """Ingress token of the tenant, from a file."""
    return WatchedFile(path, _token)


def _token(text: bytes) -> bytes:
    if not (token := text.strip()):
        raise ValueError("the ingress token is empty")
    return token
