"""SQLite's errors as the ports' errors."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Final

from loci_dataplane.stores.errors import StorageFullError, StoreUnavailableError
from loci_dataplane.stores.full_disk import is_full

COMPONENT: Final = "records"

_PRIMARY_CODE: Final = 0xFF
"""The low byte of an extended result code."""
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Failures of the file or its volume; the others are mistakes in a statement."""


def port_error(error: Exception, folder: Path) -> Exception:
    """Return the ports' error for a failure in a database file in this folder, or the same error if there is none."""
    if isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return (
            full_error() if full else StoreUnavailableError(COMPONENT, errno.errorcode.get(error.errno or 0, "OSError"))
        )
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code == sqlite3.SQLITE_FULL:
        return full_error()
    if code not in _UNAVAILABLE:
        return error
    return full_error() if is_full(folder) else StoreUnavailableError(COMPONENT, getattr(error, "sqlite_errorname", ""))


def full_error() -> StorageFullError:
    """Return the error of a full volume."""
    return StorageFullError(COMPONENT, "the volume is full")
