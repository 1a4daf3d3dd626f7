"""Port of the reconciler to store provisioners.

Every method is idempotent and can be repeated after a crash at any point. The caller generates and stores the password,
so that a repeated call uses the same one.
"""

from __future__ import annotations

from typing import Protocol


class StoreAwayError(Exception):
    """The store is unavailable or timed out; retry later."""


class ProvisionError(Exception):
    """The store rejects a required operation; the message says what an administrator must change."""


class DriftError(Exception):
    """A tenant's share of the store has drifted from its desired state; `create` repairs it."""


class Provisioner(Protocol):
    """Creates, verifies and removes tenants' shares of one store. Any method may raise StoreAwayError."""

    async def create(self, tenant: str, password: str) -> None:
        """Create the tenant's share or repair an incomplete one, keeping its data."""

    async def verify(self, tenant: str, password: str) -> None:
        """Access the share as the tenant would; raise DriftError if that fails."""

    async def rotate(self, tenant: str, password: str) -> None:
        """Set a new password and terminate sessions opened with the old one."""

    async def purge(self, tenant: str) -> None:
        """Delete the share with all its data, if it exists."""
