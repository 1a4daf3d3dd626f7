"""Servers that refuse to run as root: for root, another user and a folder of that user's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loci_dev.rigs.processes import is_over

_NOBODY: Final = 65534
_PREFIX: Final = "loci-daemon-"


def daemon_user() -> int | None:
    """The user id that a server runs as: nobody's when started by root, else None, the starter's own."""
    return _NOBODY if os.geteuid() == 0 else None


@contextlib.contextmanager
def daemon_folder() -> Iterator[Path]:
    """An empty folder that the server may write to; not pytest's, which no other user can enter.

    Its name holds the starter's process id, so that the next one removes what killed ones left.
    """
    parent = Path(tempfile.gettempdir())
    for stale in parent.glob(f"{_PREFIX}*"):
        if is_over(int(stale.name.removeprefix(_PREFIX).partition("-")[0])):
            shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    try:
        give(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give(path: Path) -> None:
    """Make the server's user the owner."""
    if (user := daemon_user()) is not None:
        os.chown(path, user, user)
