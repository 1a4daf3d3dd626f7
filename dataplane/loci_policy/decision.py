"""Who may do what: the pure decision on one request, the same beside Envoy and in the standalone composition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from loci_contract.errors import ErrorCode
from loci_contract.keys import is_well_formed
from loci_contract.registry import Scope, TenantState
from loci_policy.table import Grant, Table


@dataclass(frozen=True, slots=True)
class Request:
    """What a decision looks at; `path` is as it was sent, still encoded and without its query."""

    method: str
    path: str
    authorization: str | None = None
    api_key: str | None = None


class Outcome(StrEnum):
    """Every way a decision can end: a metric's label."""

    ALLOWED = "allowed"
    BAD_PATH = "bad_path"
    UNKNOWN_PATH = "unknown_path"
    BAD_METHOD = "bad_method"
    NO_KEY = "no_key"
    CONFLICTING_KEYS = "conflicting_keys"
    MALFORMED_KEY = "malformed_key"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED_KEY = "expired_key"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    NOT_SERVING = "not_serving"
    MISSING_SCOPE = "missing_scope"


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may pass for `cost` tokens."""

    grant: Grant
    cost: int


@dataclass(frozen=True, slots=True)
class Deny:
    """The request is refused."""

    outcome: Outcome
    status: int
    error: ErrorCode
    message: str


_BAD_PATH: Final = re.compile(
    r"//|[;\\\x00-\x20\x7f-\xff]|%(?:2[ef]|5c|3b|[01][0-9a-f])|/\.{1,2}(?:/|$)", re.IGNORECASE
)
_TENANT_PATH: Final = re.compile(r"/v[12]/|/health$")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_SEARCHES: Final = frozenset({"/v1/memories/search"})
"""POST requests that only read."""

_REFUSED: Final = {
    deny.outcome: deny
    for deny in (
        Deny(Outcome.BAD_PATH, 400, ErrorCode.BAD_REQUEST, "The path is not in its simplest form."),
        Deny(Outcome.UNKNOWN_PATH, 404, ErrorCode.NOT_FOUND, "There is nothing at this path."),
        Deny(Outcome.BAD_METHOD, 405, ErrorCode.METHOD_NOT_ALLOWED, f"Use one of {', '.join(METHODS)}."),
        Deny(
            Outcome.NO_KEY,
            401,
            ErrorCode.UNAUTHORIZED,
            "Send an API key as `Authorization: Bearer sk-...` or `X-API-Key: sk-...`.",
        ),
        Deny(Outcome.CONFLICTING_KEYS, 401, ErrorCode.UNAUTHORIZED, "Send one API key, in one header."),
        Deny(Outcome.MALFORMED_KEY, 401, ErrorCode.UNAUTHORIZED, "This is not an API key; was it copied whole?"),
        Deny(Outcome.UNKNOWN_KEY, 401, ErrorCode.UNAUTHORIZED, "This API key is not known or was revoked."),
        Deny(Outcome.EXPIRED_KEY, 401, ErrorCode.UNAUTHORIZED, "This API key has expired."),
        Deny(
            Outcome.SUSPENDED,
            403,
            ErrorCode.TENANT_SUSPENDED,
            "This tenant is suspended; its data is kept. Ask your administrator.",
        ),
        Deny(Outcome.DELETING, 404, ErrorCode.NOT_FOUND, "This tenant is being deleted."),
        Deny(Outcome.NOT_SERVING, 503, ErrorCode.UNAVAILABLE, "This tenant is not serving just now; try again soon."),
        Deny(Outcome.MISSING_SCOPE, 403, ErrorCode.FORBIDDEN, "This API key may read but not write."),
    )
}

_BY_STATE: Final = {TenantState.SUSPENDED: Outcome.SUSPENDED, TenantState.DELETING: Outcome.DELETING}


def decide(request: Request, table: Table, now: datetime) -> Allow | Deny:
    """Whether a request may pass, as far as its path, its key and its tenant's state go; its rate is for the bucket."""
    grant = _grant(request, table, now)
    if isinstance(grant, Outcome):
        return _REFUSED[grant]
    return Allow(grant, cost=1)


def _grant(request: Request, table: Table, now: datetime) -> Grant | Outcome:
    if problem := _path_problem(request):
        return problem
    key = _key(request)
    if isinstance(key, Outcome):
        return key
    grant = table.find(key)
    if grant is None:  # the look-up is in memory: a key that is known needs no other check
        return Outcome.UNKNOWN_KEY if is_well_formed(key) else Outcome.MALFORMED_KEY
    return _grant_problem(grant, request, now) or grant


def _path_problem(request: Request) -> Outcome | None:
    if _BAD_PATH.search(request.path):
        return Outcome.BAD_PATH
    if not _TENANT_PATH.match(request.path):
        return Outcome.UNKNOWN_PATH
    return None if request.method in METHODS else Outcome.BAD_METHOD


def _key(request: Request) -> str | Outcome:
    presented = [key for key in (bearer_token(request.authorization), request.api_key) if key is not None]
    if not presented:
        return Outcome.NO_KEY
    if any(key != presented[0] for key in presented):
        return Outcome.CONFLICTING_KEYS
    return presented[0]


def bearer_token(authorization: str | None) -> str | None:
    """What an `Authorization` header presents; an empty text, which no one knows, when it is of another scheme."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _grant_problem(grant: Grant, request: Request, now: datetime) -> Outcome | None:
    if grant.key.is_expired(now):
        return Outcome.EXPIRED_KEY
    if grant.record.state is not TenantState.ACTIVE:
        return _BY_STATE.get(grant.record.state, Outcome.NOT_SERVING)
    return None if needed_scope(request) in grant.scopes else Outcome.MISSING_SCOPE


def needed_scope(request: Request) -> Scope:
    """What a key must be allowed for this request."""
    reads = request.method in _READING or (request.method == "POST" and request.path in _SEARCHES)
    return Scope.READ if reads else Scope.WRITE
