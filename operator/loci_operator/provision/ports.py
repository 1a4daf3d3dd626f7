"""Ports of the reconciler to store provisioners.

Every method is idempotent and can be repeated after a crash at any point. The caller generates and keeps the password,
so that a repeated call uses the same one.

A tenant has two logins that take turns, the second of which is called `alternate`. To rotate its credentials, `create`
the other login with another password, keep that, and `retire` the present one when the tenant's pods use the new one:
until then both are valid. The user's name in a kept address tells which login it is. A share of a tenant that is gone
stays as it is (retained) until `purge`, or until `hand_over` gives it to a tenant object of the same name (adopted).
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
    """Creates, verifies and removes tenants' shares of one store.

    Any method may raise StoreAwayError or ProvisionError. `alternate` names the login.
    """

    async def prepare(self) -> None:
        """Get the store ready for tenants; repeatable."""

    async def create(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Create the tenant's share with a login, or repair what is there; keeps data and the other login."""

    async def holder(self, tenant: str) -> str | None:
        """Return the uid of the tenant object that owns the share; None without a share or an owner."""

    async def hand_over(self, tenant: str, uid: str) -> None:
        """Record the share's owner."""

    async def verify(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Access the share as the tenant would; raise DriftError if that fails."""

    async def retire(self, tenant: str, *, alternate: bool) -> None:
        """Remove a login and terminate its sessions; the other one stays."""

    async def purge(self, tenant: str) -> None:
        """Delete the share with all its data, if it exists."""


class Collections(Protocol):
    """Creates and drops tenants' collections of vectors. Any method may raise StoreAwayError or ProvisionError."""

    async def create(self, tenant: str) -> UUID:
        """Create the tenant's collection if it does not exist; return its id."""

    async def purge(self, tenant: str) -> None:
        """Drop the collection with all its data, if it exists."""
