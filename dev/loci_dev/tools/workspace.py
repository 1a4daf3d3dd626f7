"""A folder for one build at a time, of which nothing stays in the tool cache, not even after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from loci_dev.tools.catalog import CACHE

_PREFIX: Final = ".build-"


@contextlib.contextmanager
def workspace(cache: Path = CACHE) -> Iterator[Path]:
    """An empty folder on the cache's file system, once no other build is under way; removes what killed ones left."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        _take(lock)
        for stale in cache.glob(f"{_PREFIX}*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=cache))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _take(lock: TextIO) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("tools: waiting for another build", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
