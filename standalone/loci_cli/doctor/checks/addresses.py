"""Addresses of the platform's stores, as its processes have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from loci_cli.doctor.installation import FaultError, Installation, host_and_port

_DEFAULTS: Final = (
    ("redis", "policy", "LOCI_REDIS_URL", 6379),
    ("postgres", "operator", "LOCI_POSTGRES_ADMIN_DSN", 5432),
    ("chroma", "operator", "LOCI_CHROMA_URL", 80),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is; the URL may contain its credentials."""

    store: str
    url: str = field(repr=False)
    host: str
    port: int


async def of_stores(installation: Installation) -> list[Address]:
    """The stores that are set up.

    Raises:
        FaultError: a Secret is missing, or an address is malformed.
    """
    found = []
    for store, process, variable, port in _DEFAULTS:
        if url := await installation.setting(process, variable):
            found.append(_address(store, url, port, variable))
    return found


def _address(store: str, url: str, default_port: int, variable: str) -> Address:
    try:
        host, port = host_and_port(url, default_port)
        host.encode("idna")  # what resolving it does first
    except ValueError:
        host, port = "", 0
    if not host:
        raise FaultError(f"{variable} is not an address with one host.", "Correct it in its Secret or in the values.")
    return Address(store, url, host, port)
