"""Attempts past the ingress: at a tenant's pod and at each shared store, without credentials.

An address that cannot be reached is as good as one that refuses: the network policy or the firewall did its work.
"""

from __future__ import annotations

import asyncio
import struct
from http import HTTPStatus
from typing import Final

import httpx

from loci_contract import headers
from loci_contract.chroma import COLLECTIONS

_SECONDS: Final = 3.0
_PROTOCOL: Final = 196_608
"""Version 3.0 of PostgreSQL's protocol, in its start-up message."""
_AUTHENTICATION_OK: Final = b"R\x00\x00\x00\x08\x00\x00\x00\x00"


async def pod(address: str) -> bool:
    """Whether a pod serves memories to a caller without the ingress token, or with a made-up one."""
    for token in (None, "", "0" * 43):
        given = {} if token is None else {headers.INGRESS_TOKEN: token}
        answer = await _get(f"http://{address}/v1/memories", given)
        if answer is not None and answer.is_success:
            return True
    return False


async def chroma(address: str) -> bool:
    """Whether Chroma lists collections to a caller without a token."""
    answer = await _get(f"http://{address}{COLLECTIONS}", {})
    return answer is not None and answer.status_code == HTTPStatus.OK


async def redis(address: str) -> bool:
    """Whether Redis lists keys without a password."""
    answer = await _talk(address, b"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n")
    return answer.startswith(b"*")


async def postgres(address: str) -> bool:
    """Whether PostgreSQL lets its superuser in without a password."""
    body = struct.pack("!I", _PROTOCOL) + b"user\0postgres\0database\0postgres\0\0"
    answer = await _talk(address, struct.pack("!I", len(body) + 4) + body)
    return answer.startswith(_AUTHENTICATION_OK)


async def _get(url: str, given: dict[str, str]) -> httpx.Response | None:
    async with httpx.AsyncClient(timeout=_SECONDS) as client:
        try:
            return await client.get(url, headers=given)
        except httpx.TransportError:
            return None


async def _talk(address: str, message: bytes) -> bytes:
    """The first bytes of the answer; empty when there is none."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(message)
                return await reader.read(512)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""
