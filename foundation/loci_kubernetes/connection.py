"""Connections to the API server that notice when the other side has fallen silent.

A half-open connection (a lost route, a dead load balancer, a dropped NAT entry) gives no error by itself. Three bounds
find it: TCP keep-alive for an idle connection (KEEPALIVE_SECONDS), TCP_USER_TIMEOUT for sent bytes that are not
acknowledged (the same), and a read timeout of each request for a peer whose kernel still responds. When the last
expires, the pool is replaced, since its idle connections share the route of the dead one. Requests that are under way
end by their own bounds: aiohttp wakes no reader whose connection is closed under it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from loci_kubernetes.errors import UnreachableError

KEEPALIVE_SECONDS: Final = 5
"""An idle connection to a peer that is gone breaks after this time: 2 s idle, then 3 probes a second apart."""
_OPTIONS: Final = (
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", 2),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", 1),
    ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", KEEPALIVE_SECONDS * 1000),
)
_CONNECT_SECONDS: Final = 3
_LINE_BYTES: Final = 2**21
"""An object is at most 1.5 MiB in etcd; a watch sends each on one line."""
_BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)

AddressInfo = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a request may take.

    Args:
        silence: seconds without a byte after which the connection counts as broken.
        total: seconds that the whole exchange may take; None for no bound.
    """

    silence: float
    total: float | None = None


class Connection:
    """Signed HTTP requests over a pool of connections that is replaced when one of them falls silent."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._pool: _Pool | None = None

    @contextlib.asynccontextmanager
    async def request(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, *, timeouts: Timeouts
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to one request, to be read within the block.

        Args:
            method: HTTP method.
            path: path and query.
            headers: besides the credentials.
            body: sent as JSON, when not None.
            timeouts: how long to wait.

        Raises:
            UnreachableError: no connection, a broken or a silent one.
        """
        _, url, signed, _, _ = await self._client.param_serialize(
            method, path, header_params=headers, auth_settings=["BearerToken"]
        )
        limit = aiohttp.ClientTimeout(total=timeouts.total, sock_connect=_CONNECT_SECONDS, sock_read=timeouts.silence)
        data = orjson.dumps(body) if body is not None else None
        pool = self._pool = self._pool or self._open()
        try:
            async with (
                pool.used() as session,
                session.request(method, url, headers=signed, data=data, timeout=limit) as response,
            ):
                yield response
        except _BROKEN as error:
            if isinstance(error, TimeoutError) and self._pool is pool:
                self._pool = None
                await pool.retire()
            raise UnreachableError(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.retire()

    def _open(self) -> _Pool:
        rest = self._client.rest_client
        connector = aiohttp.TCPConnector(limit=rest.maxsize, ssl=rest.ssl_context, socket_factory=keepalive_socket)
        return _Pool(aiohttp.ClientSession(connector=connector, trust_env=True, read_bufsize=_LINE_BYTES))


class _Pool:
    """A session that is closed once it is retired and its last request has ended."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._requests = 0
        self._retired = False

    @contextlib.asynccontextmanager
    async def used(self) -> AsyncIterator[aiohttp.ClientSession]:
        self._requests += 1
        try:
            yield self._session
        finally:
            self._requests -= 1
            await self._close_if_unused()

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_unused()

    async def _close_if_unused(self) -> None:
        if self._retired and not self._requests:
            await self._session.close()


def keepalive_socket(address: AddressInfo) -> socket.socket:
    """A socket for aiohttp's connector that breaks when its peer is gone."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    for level, option, value in _OPTIONS:
        if hasattr(socket, option):  # TCP_USER_TIMEOUT is Linux'
            made.setsockopt(getattr(socket, level), getattr(socket, option), value)
    return made


@contextlib.asynccontextmanager
async def connection(kubeconfig: Path | None) -> AsyncIterator[Connection]:
    """A connection as the kubeconfig's user, or as the pod's ServiceAccount when there is none."""
    configuration = Configuration()
    if kubeconfig is not None:
        await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    else:
        config.load_incluster_config(client_configuration=configuration)
    async with ApiClient(configuration) as client:
        made = Connection(client)
        try:
            yield made
        finally:
            await made.close()
