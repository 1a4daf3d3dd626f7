"""What can keep a tenant from its desired state."""

from __future__ import annotations


class RejectedError(Exception):
    """The tenant's spec cannot be met: becomes a condition, and is tried again when the spec or its tier changes.

    `condition` and `reason` are the status condition's type and reason; the message says what to do.
    """

    def __init__(self, condition: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.reason = reason
        self.message = message
