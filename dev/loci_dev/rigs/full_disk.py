"""A small file system of its own, to be filled up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import unittest
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def small_volume(folder: Path, size: str = "16m") -> Iterator[Path]:
    """Mount a file system of this size at the folder for the length of the block; skip the test if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        raise unittest.SkipTest("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def filled(volume: Path) -> Iterator[None]:
    """Leave no free byte on the volume for the length of the block, or until its file `ballast` is emptied."""
    ballast = volume / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4_096):
            pass
    yield
    ballast.unlink()
