"""The access decision on one request: pure, and the same beside Envoy and in the standalone composition."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from loci_contract.errors import ErrorCode
from loci_contract.keys import is_well_formed
from loci_contract.registry import TenantState
from loci_contract.routes import ADMIN, PLATFORM, TENANT, UNKNOWN_OPERATION, Resource, Route, not_allowed_message
from loci_policy.table import Grant, Table


@dataclass(frozen=True, slots=True)
class Request:
    """Input of a decision; `path` is the raw, percent-encoded path without the query."""

    method: str
    path: str
    authorization: str | None = None
    api_key: str | None = None
    origin: str | None = None


class Outcome(StrEnum):
    """Every way a decision can end: a metric's label."""

    ALLOWED = "allowed"
    OPTIONS = "options"
    BAD_PATH = "bad_path"
    UNKNOWN_PATH = "unknown_path"
    BAD_METHOD = "bad_method"
    NO_KEY = "no_key"
    CONFLICTING_KEYS = "conflicting_keys"
    MALFORMED_KEY = "malformed_key"
    WRONG_SCHEME = "wrong_scheme"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED_KEY = "expired_key"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    NOT_SERVING = "not_serving"
    MISSING_SCOPE = "missing_scope"


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may pass, as far as its rate allows."""

    grant: Grant
    route: Route


@dataclass(frozen=True, slots=True)
class Options:
    """The request asks which methods a path allows; anyone may know."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class Deny:
    """The request is refused.

    Args:
        outcome: reason, for metrics.
        status: HTTP status.
        error: error code of the body.
        message: what is wrong and what to do about it.
        allow: value of the `Allow` header, for 405.
        operation: operation that was asked for, where there is one.
    """

    outcome: Outcome
    status: int
    error: ErrorCode
    message: str
    allow: str | None = None
    operation: str = UNKNOWN_OPERATION


_BAD_PATH: Final = re.compile(
    r"//|[;\\\x00-\x20\x7f-\xff]|%(?:2[ef]|5c|3b|7f|[01][0-9a-f]|(?![0-9a-f]{2}))|/\.{1,2}(?:/|$)", re.IGNORECASE
)
_KNOWN: Final = ADMIN + PLATFORM + TENANT
"""Every path that clients may ask for: what a path with a slash too many is compared with."""
_SEND_A_KEY: Final = "Send the API key as `Authorization: Bearer sk-...` or `X-API-Key: sk-...`."

_REFUSED: Final = {
    outcome: Deny(outcome, status, error, message)
    for outcome, status, error, message in (
        (
            Outcome.BAD_PATH,
            400,
            ErrorCode.BAD_REQUEST,
            "The path is not normalised; send it without `//`, `.`, `..`, `;`, control characters or encoded slashes.",
        ),
        (Outcome.NO_KEY, 401, ErrorCode.UNAUTHORIZED, f"No API key was sent. {_SEND_A_KEY}"),
        (
            Outcome.CONFLICTING_KEYS,
            401,
            ErrorCode.UNAUTHORIZED,
            "Two different credentials were sent. Send one API key, in one header.",
        ),
        (
            Outcome.WRONG_SCHEME,
            401,
            ErrorCode.UNAUTHORIZED,
            f"The Authorization header is not of the form `Bearer <API key>`. {_SEND_A_KEY}",
        ),
        (
            Outcome.MALFORMED_KEY,
            401,
            ErrorCode.UNAUTHORIZED,
            f"The credential is not an API key; check that it was copied in full. {_SEND_A_KEY}",
        ),
        (Outcome.UNKNOWN_KEY, 401, ErrorCode.UNAUTHORIZED, "This API key is unknown or was revoked."),
        (Outcome.EXPIRED_KEY, 401, ErrorCode.UNAUTHORIZED, "This API key has expired."),
        (
            Outcome.SUSPENDED,
            403,
            ErrorCode.TENANT_SUSPENDED,
            "This tenant is suspended; its data is kept. Ask your administrator.",
        ),
        (Outcome.DELETING, 404, ErrorCode.NOT_FOUND, "This tenant is being deleted."),
        (Outcome.NOT_SERVING, 503, ErrorCode.UNAVAILABLE, "This tenant is not serving at the moment; try again soon."),
    )
}

_BY_STATE: Final = {TenantState.SUSPENDED: Outcome.SUSPENDED, TenantState.DELETING: Outcome.DELETING}


def decide(request: Request, table: Table, now: datetime) -> Allow | Options | Deny:
    """Whether a request may pass: its path and method, then its key, then its tenant's state and the key's scopes."""
    if _BAD_PATH.search(request.path):
        return _REFUSED[Outcome.BAD_PATH]
    path = _decoded(request.path)
    if path is None:
        return _REFUSED[Outcome.BAD_PATH]
    resource = TENANT.at(path)
    if resource is None:
        return Deny(Outcome.UNKNOWN_PATH, 404, ErrorCode.NOT_FOUND, _KNOWN.not_found_message(path))
    route = resource.route(request.method)
    if route is not None:
        return _with_key(request, route, table, now)
    if request.method == "OPTIONS":
        return Options(resource)
    message = not_allowed_message(resource)
    return Deny(Outcome.BAD_METHOD, 405, ErrorCode.METHOD_NOT_ALLOWED, message, resource.allow)


def _decoded(path: str) -> str | None:
    """The path as the tenant's application reads it; None when it is not UTF-8, such as an overlong `%c0%ae`."""
    if "%" not in path:
        return path
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None


def _with_key(request: Request, route: Route, table: Table, now: datetime) -> Allow | Deny:
    grant = _grant(request, table)
    problem = grant if isinstance(grant, Outcome) else _grant_problem(grant, route, now)
    if problem is None:
        assert isinstance(grant, Grant)
        return Allow(grant, route)
    if problem is Outcome.MISSING_SCOPE:
        message = f"This API key does not have the scope `{route.scope}` that this request needs."
        return Deny(problem, 403, ErrorCode.FORBIDDEN, message, operation=route.operation)
    return replace(_REFUSED[problem], operation=route.operation)


def _grant(request: Request, table: Table) -> Grant | Outcome:
    key = _key(request)
    if isinstance(key, Outcome):
        return key
    grant = table.find(key)
    if grant is not None:  # the look-up is in memory: a known key needs no other check
        return grant
    return Outcome.UNKNOWN_KEY if is_well_formed(key) else Outcome.MALFORMED_KEY


def _key(request: Request) -> str | Outcome:
    bearer, api_key = bearer_token(request.authorization), request.api_key
    if bearer is None and api_key is None:
        return Outcome.NO_KEY
    if bearer is not None and api_key is not None and bearer != api_key:
        return Outcome.CONFLICTING_KEYS
    if not bearer and request.authorization is not None:
        return Outcome.WRONG_SCHEME
    return bearer or api_key or ""


def bearer_token(authorization: str | None) -> str | None:
    """The credential in an `Authorization` header; an empty string, which no table knows, for another scheme."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _grant_problem(grant: Grant, route: Route, now: datetime) -> Outcome | None:
    if grant.key.is_expired(now):
        return Outcome.EXPIRED_KEY
    if grant.record.state is not TenantState.ACTIVE:
        return _BY_STATE.get(grant.record.state, Outcome.NOT_SERVING)
    return None if route.scope in grant.scopes else Outcome.MISSING_SCOPE
