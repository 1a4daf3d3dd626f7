"""What the reconciler needs of a store's provisioner.

Each method is idempotent and can be repeated after a crash at any point. The caller makes the password and keeps it,
so that a repeated call means the same.
"""

from __future__ import annotations

from typing import Protocol


class StoreAwayError(Exception):
    """The store does not answer, or not in time; try again later."""


class ProvisionError(Exception):
    """The store refuses what is needed; the message says what a person must change."""


class DriftError(Exception):
    """A tenant's share is not as it should be; `create` repairs it."""


class Provisioner(Protocol):
    """Creates, checks and removes tenants' shares of one store. Any method may raise StoreAwayError."""

    async def create(self, tenant: str, password: str) -> None:
        """Create the tenant's share, or complete and repair it; keep its data."""

    async def verify(self, tenant: str, password: str) -> None:
        """Use the share as the tenant would; raise DriftError if that fails."""

    async def rotate(self, tenant: str, password: str) -> None:
        """Let the tenant in by this password alone, and end what was opened with another."""

    async def purge(self, tenant: str) -> None:
        """Remove the share with all its data; nothing happens if there is none."""
