"""What the operator keeps for the pod as files; a change takes effect without a restart."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from loci_contract.registry import Limits

Content = TypeVar("Content")


class WatchedFile(Generic[Content]):
    """Gives what the file says now; reads it again only when its modification time changed.

    Args:
        path: the file.
        parse: makes the content of the bytes; ValueError when they are no such content.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], Content]) -> None:
        self._path = path
        self._parse = parse
        self._read_at = -1
        self._content = parse(path.read_bytes())

    def __call__(self) -> Content:
        """The content now; what was read last while the file is missing or broken."""
        with contextlib.suppress(OSError, ValueError):
            modified = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - a microsecond on the way of every request
            if modified != self._read_at:
                self._read_at = modified
                self._content = self._parse(self._path.read_bytes())
        return self._content


def limits_file(path: Path) -> WatchedFile[Limits]:
    """The tenant's limits."""
    return WatchedFile(path, Limits.model_validate_json)


def token_file(path: Path) -> WatchedFile[bytes]:
    """The tenant's ingress token."""
    return WatchedFile(path, _token)


def _token(text: bytes) -> bytes:
    if not (token := text.strip()):
        raise ValueError("the ingress token is empty: every request would pass")
    return token
