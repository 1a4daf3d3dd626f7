"""What must be right before anything runs: the port, the data folder, the folder of tenants."""

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
    """Where everything is kept."""

    path: Path

    @property
    def tenants(self) -> Path:
        """Tenants' documents (`<name>.yaml`) and data (`<name>/`)."""
        return self.path / "tenants"

    @property
    def keys(self) -> Path:
        """Keys that were made for declared tenants."""
        return self.path / "keys"


@contextmanager
def data_folder(path: Path) -> Iterator[DataFolder]:
    """The data folder, made when it is missing and held by this process alone."""
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
        message = f"another `loci serve` uses {path}: stop it, or choose another folder with --data"
        raise StartError(message) from error


def listen(host: str, port: int) -> socket.socket:
    """The port, taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"cannot listen on {host}:{port} ({reason}): choose another --port or --host") from error


def existing_folder(path: Path) -> Path:
    """A folder that must be there and readable."""
    if not (path.is_dir() and os.access(path, os.R_OK | os.X_OK)):
        raise StartError(f"--tenants {path} is not a folder that can be read: make it, or leave the option out")
    return path
