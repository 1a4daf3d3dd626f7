"""Whether a request may pass to Chroma. Pure.

A tenant's token may use the entries of its own collection, by its id. The provisioner's token may create, find and
delete collections by name, and never reads what they hold. Everything else is refused, also what later versions of
Chroma may serve. Paths are compared as Envoy passes them on, without decoding: an encoded character matches nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from loci_contract.chroma import COLLECTIONS, HEARTBEAT, PREFLIGHT, CollectionRecord
from loci_contract.errors import ErrorCode

_ENTRIES: Final = re.compile(rf"{re.escape(COLLECTIONS)}/([0-9a-f-]{{36}})/([a-z]+)(\?read_level=[a-z_]+)?")
_NAMED: Final = re.compile(rf"{re.escape(COLLECTIONS)}/tenant-[a-z0-9-]+")
_OPERATIONS: Final = frozenset(
    {
        ("POST", "query"),
        ("POST", "get"),
        ("POST", "add"),
        ("POST", "upsert"),
        ("POST", "update"),
        ("POST", "delete"),
        ("GET", "count"),
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that may not pass."""

    status: int
    error: ErrorCode
    message: str


NO_TOKEN: Final = Refusal(401, ErrorCode.UNAUTHORIZED, "This needs a token, as `Authorization: Bearer ...`.")
FORBIDDEN: Final = Refusal(403, ErrorCode.FORBIDDEN, "This token may not do that.")


class Collections:
    """Which collection each token opens."""

    def __init__(self, records: Iterable[CollectionRecord] = ()) -> None:
        self._records = {record.tenant: record for record in records}
        self._opened = {record.token_sha256: str(record.collection) for record in self._records.values()}

    def put(self, record: CollectionRecord) -> None:
        """Take in a tenant's record; its earlier token opens nothing any more."""
        self.remove(record.tenant)
        self._records[record.tenant] = record
        self._opened[record.token_sha256] = str(record.collection)

    def remove(self, tenant: str) -> None:
        """Forget a tenant."""
        if record := self._records.pop(tenant, None):
            self._opened.pop(record.token_sha256, None)

    def opened_by(self, digest: str) -> str | None:
        """The id of the collection that a token with this SHA-256 opens."""
        return self._opened.get(digest)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to Chroma; `target` is path and query as they are passed on."""

    method: str
    target: str
    token: str | None


def refusal(call: Call, collections: Collections, provisioner_sha256: str | None) -> Refusal | None:
    """Why a call may not pass; None when it may."""
    if (call.method, call.target) == ("GET", HEARTBEAT):
        return None
    if not call.token:
        return NO_TOKEN
    digest = hashlib.sha256(call.token.encode("latin-1")).hexdigest()
    if provisioner_sha256 is not None and hmac.compare_digest(digest, provisioner_sha256):
        return None if _is_provisioning(call) else FORBIDDEN
    own = collections.opened_by(digest)
    if own is None:
        return NO_TOKEN
    return None if _is_use_of(own, call) else FORBIDDEN


def _is_provisioning(call: Call) -> bool:
    if call.target == COLLECTIONS:
        return call.method == "POST"
    return call.method in {"GET", "DELETE"} and _NAMED.fullmatch(call.target) is not None


def _is_use_of(collection: str, call: Call) -> bool:
    if (call.method, call.target) == ("GET", PREFLIGHT):
        return True
    found = _ENTRIES.fullmatch(call.target)
    return found is not None and found[1] == collection and (call.method, found[2]) in _OPERATIONS
