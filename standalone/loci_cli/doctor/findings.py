"""The result of a check: its status, and how to fix the fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result.

    Args:
        name: the check, and the object that it is about where there are several.
        status: how the check ended.
        message: the observation, without secrets.
        fix: what to do; empty when there is nothing to do.
    """

    name: str
    status: Status
    message: str
    fix: str = ""


def ok(name: str, message: str) -> Finding:
    """A check that passed."""
    return Finding(name, Status.OK, message)


def warning(name: str, message: str, fix: str) -> Finding:
    """A fault that does not stop the service, or a check that could not be made."""
    return Finding(name, Status.WARNING, message, fix)


def failed(name: str, message: str, fix: str) -> Finding:
    """A fault."""
    return Finding(name, Status.FAILED, message, fix)


def skipped(name: str, message: str, fix: str = "") -> Finding:
    """A check that does not apply here."""
    return Finding(name, Status.SKIPPED, message, fix)
