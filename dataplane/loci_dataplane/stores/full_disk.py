"""Telling a full volume from other failures, for adapters whose library reports both alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_MIN_FREE_BYTES: Final = 65_536
"""Below this a store may fail to write: it writes pages and log segments, not single bytes."""


def is_full(folder: Path) -> bool:
    """Whether the volume that holds a folder has no space or no inode left for an ordinary user."""
    try:
        volume = os.statvfs(next(path for path in (folder, *folder.parents) if path.exists()))
    except OSError:
        return False
    no_inodes = volume.f_files > 0 and volume.f_favail == 0  # some file systems do not count inodes
    return volume.f_bavail * volume.f_frsize < _MIN_FREE_BYTES or no_inodes
