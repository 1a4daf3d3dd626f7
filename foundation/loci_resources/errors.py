"""Errors that prevent a tenant from reaching its desired state."""

from __future__ import annotations


class RejectedError(Exception):
    """The tenant's spec cannot be satisfied.

    It is reported as a status condition, and retried when the spec or its tier changes. `condition` and `reason` are
    the status condition's type and reason; the message tells the user what to do.
    """

    def __init__(self, condition: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.reason = reason
        self.message = message
