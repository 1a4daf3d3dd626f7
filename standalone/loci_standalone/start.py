"""Startup checks: the port, the data folder and the folder of declared tenants."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loci_standalone.errors import StartError


@dataclass(frozen=True)
class DataFolder:
    """Layout of the data folder."""

    path: Path

    @property
    def tenants(self) -> Path:
        """Folder of tenant documents (`<name>.yaml`) and data (`<name>/`)."""
        return self.path / "tenants"

    @property
    def keys(self) -> Path:
        """Folder of keys generated for declared tenants."""
        return self.path / "keys"


@contextmanager
def data_folder(path: Path) -> Iterator[DataFolder]:
    """Open the data folder, created if missing and locked by this process."""
    folder = DataFolder(path.resolve())
    try:
        for part in (folder.path, folder.tenants, folder.keys):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder.path / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StartError(
            f"cannot write to {path} ({error.strerror}): choose another folder with --data, or change its owner"
        ) from error
    try:
        _hold(lock, path)
        yield folder
    finally:
        os.close(lock)


def _hold(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"another `loci serve` is using {path}: stop it, or choose another folder with --data"
        raise StartError(message) from error


def listen(host: str, port: int) -> socket.socket:
    """Bind the port."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"cannot listen on {host}:{port} ({reason}): choose another --port or --host") from error


def existing_folder(path: Path) -> Path:
    """Check that the tenants folder exists and is readable."""
    if not (path.is_dir() and os.access(path, os.R_OK | os.X_OK)):
        raise StartError(f"--tenants {path} is not a readable folder: create it, or omit the option")
    return path
