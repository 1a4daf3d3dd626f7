"""The two tenants of the prober: created when they are missing, with a new key at each start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx

NAMES: Final = ("isolation-canary-a", "isolation-canary-b")
_KEY: Final = "prober"
_PAUSE: Final = 1.0


class NotReadyError(Exception):
    """The ingress refused what every round needs; the message has the step and the status."""


@dataclass(frozen=True)
class Account:
    """One of the tenants and its key."""

    tenant: str
    key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates as this tenant."""
        return {"authorization": f"Bearer {self.key}"}


async def account(client: httpx.AsyncClient, admin_key: str, tenant: str, tier: str) -> Account:
    """Create the tenant unless it exists, and a new key; raise NotReadyError when the ingress refuses."""
    admin = {"authorization": f"Bearer {admin_key}"}
    path = f"/admin/tenants/{tenant}"
    if (await client.get(path, headers=admin)).status_code == HTTPStatus.NOT_FOUND:
        made = await client.post("/admin/tenants", headers=admin, json={"name": tenant, "tier": tier})
        _expect(made, "create the tenant", HTTPStatus.CREATED, HTTPStatus.CONFLICT)
    revoked = await client.delete(f"{path}/keys/{_KEY}", headers=admin)
    _expect(revoked, "revoke the last key", HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
    created = await client.post(f"{path}/keys", headers=admin, json={"name": _KEY})
    _expect(created, "create a key", HTTPStatus.CREATED)
    return Account(tenant, created.json()["api_key"])


async def served(client: httpx.AsyncClient, owner: Account) -> None:
    """Wait until a tenant's pod serves its key."""
    while not (await client.get("/v1/usage", headers=owner.headers)).is_success:  # noqa: ASYNC110 - the ingress tells nobody of it
        await asyncio.sleep(_PAUSE)


def _expect(answer: httpx.Response, step: str, *statuses: HTTPStatus) -> None:
    if answer.status_code not in statuses:
        raise NotReadyError(f"cannot {step}: status {answer.status_code}")
