"""Creates and drops tenants' collections on a shared Chroma server, through the gate before it.

The gate lets the provisioner's token create, find and drop collections by name, and read none of them. Each method is
one or two calls, and each can be repeated.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import aiohttp

from loci_contract.chroma import COLLECTIONS, SPACE, collection_name
from loci_operator.provision.ports import ProvisionError, StoreAwayError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0)


class ChromaProvisioner:
    """Provisions collections on one server.

    Args:
        session: the HTTP client.
        url: base URL of the gate.
        token: the provisioner's token at the gate.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}{COLLECTIONS}"
        self._headers = {"authorization": f"Bearer {token}"}

    async def create(self, tenant: str) -> UUID:
        """Create the tenant's collection unless it is there; return its id."""
        body = {"name": collection_name(tenant), "configuration": SPACE, "get_or_create": True}
        _, answer = await self._call("POST", "", body)
        return UUID(answer["id"])

    async def purge(self, tenant: str) -> None:
        """Drop the collection with all its data; nothing happens if there is none."""
        await self._call("DELETE", f"/{collection_name(tenant)}", expected=(HTTPStatus.OK, HTTPStatus.NOT_FOUND))

    async def _call(
        self, method: str, path: str, body: object = None, expected: tuple[int, ...] = (HTTPStatus.OK,)
    ) -> tuple[int, Any]:
        try:
            async with self._session.request(
                method, f"{self._url}{path}", json=body, headers=self._headers, timeout=_TIMEOUT
            ) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StoreAwayError(f"Chroma is unavailable: {type(error).__name__}") from error
        if response.status in expected:
            return response.status, answer
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise StoreAwayError(f"Chroma is unavailable: status {response.status}")
        raise ProvisionError(f"Chroma's gate refuses: status {response.status}; check the provisioner's token")
