"""The response to a write, kept so that a retry of the request gets the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful response.

    Args:
        status: HTTP status.
        body: JSON; empty for a response without a body.
        headers: further headers.
        memory_ids: memories whose content the body has; an erasure of one of them removes the reply.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    memory_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that may be sent again.

    Args:
        key: digest of its Idempotency-Key.
        fingerprint: digest of everything in it that decides what it does.
    """

    key: str
    fingerprint: str


def attempt(key: str, *parts: object) -> Attempt:
    """The attempt of a request with this key, made of JSON-ready parts; the order of an object's keys is nothing."""
    return Attempt(_digest(key), _digest(list(parts)))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
