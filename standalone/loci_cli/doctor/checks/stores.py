"""The platform's stores: each answers an authenticated request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import asyncpg
import httpx
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from loci_cli.doctor.checks.addresses import Address, of_stores
from loci_cli.doctor.findings import Finding, failed, ok, skipped
from loci_cli.doctor.installation import Installation
from loci_contract.chroma import COLLECTIONS, collection_name

_SECONDS: Final = 10.0
_BROKEN: Final = (
    RedisError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
    TimeoutError,
    ValueError,
)
FROM_INSIDE: Final = "It can be reached from within the cluster alone."
RUN_INSIDE: Final = "Run it in a pod of the cluster."


async def check(installation: Installation) -> list[Finding]:
    """Ask each store that the platform uses."""
    token = await installation.setting("operator", "LOCI_CHROMA_PROVISIONER_TOKEN") or ""
    return list(await asyncio.gather(*(_one(installation, a, token) for a in await of_stores(installation))))


async def _one(installation: Installation, address: Address, token: str) -> Finding:
    name, place = f"store {address.store}", f"{address.host}:{address.port}"
    if not installation.reaches(address.host):
        return skipped(name, FROM_INSIDE, RUN_INSIDE)
    requests: dict[str, Callable[[], Awaitable[None]]] = {
        "redis": lambda: _redis(address.url),
        "postgres": lambda: _postgres(address.url),
        "chroma": lambda: _chroma(address.url, token),
    }
    try:
        async with asyncio.timeout(2 * _SECONDS):
            await requests[address.store]()
    except _BROKEN as error:  # its message may quote the address with its password
        fix = "Check that the server runs, its Secret, and the network policies between it and the platform."
        return failed(name, f"{place} does not serve the platform: {type(error).__name__}.", fix)
    return ok(name, f"{place} serves the platform.")


async def _redis(url: str) -> None:
    async with Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    ) as client:
        await client.ping()


async def _postgres(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=_SECONDS, command_timeout=_SECONDS)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close(timeout=_SECONDS)


async def _chroma(url: str, token: str) -> None:
    """Ask for a collection that does not exist, which the gate passes on for the operator's token alone."""
    path = f"{url.rstrip('/')}{COLLECTIONS}/{collection_name('doctor')}"
    async with httpx.AsyncClient(timeout=_SECONDS) as client:
        answer = await client.get(path, headers={"authorization": f"Bearer {token}"})
    if answer.status_code not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
        answer.raise_for_status()
