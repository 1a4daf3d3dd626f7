"""Port of the reconciler to store provisioners.

Every method is idempotent and can be repeated after a crash at any point. The caller generates and stores the password,
so that a repeated call uses the same one.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class StoreAwayError(Exception):
    """The store is unavailable or timed out; retry later."""


class ProvisionError(Exception):
    """The store rejects a required operation; the message says what an administrator must change."""


class DriftError(Exception):
    """A tenant's share of the store has drifted from its desired state; `create` repairs it."""


class Provisioner(Protocol):
    """Creates, verifies and removes tenants' shares of one store. Any method may raise StoreAwayError."""

    async def prepare(self) -> None:
        """Get the store ready for tenants; repeatable."""

    async def create(self, tenant: str, password: str) -> None:
        """Create the tenant's share or repair an incomplete one, keeping its data."""

    async def holder(self, tenant: str) -> str | None:
        """Return the uid of the tenant object that owns the share; None without a share or an owner."""

    async def hand_over(self, tenant: str, uid: str) -> None:
        """Record the share's owner."""

    async def verify(self, tenant: str, password: str) -> None:
        """Access the share as the tenant would; raise DriftError if that fails."""

    async def rotate(self, tenant: str, password: str) -> None:
        """Set a new password and terminate sessions opened with the old one."""

    async def purge(self, tenant: str) -> None:
        """Delete the share with all its data, if it exists."""


class Collections(Protocol):
    """Creates and drops tenants' collections of vectors. Any method may raise StoreAwayError or ProvisionError."""

    async def create(self, tenant: str) -> UUID:
        """Create the tenant's collection if it does not exist; return its id."""

    async def purge(self, tenant: str) -> None:
        """Drop the collection with all its data, if it exists."""
