"""The policy's HTTP server on its unix socket: Envoy's `ext_authz` under /check, and the platform's own endpoints."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_contract.routes import PLATFORM, not_allowed_message
from loci_policy import api_docs
from loci_policy.asgi import (
    REQUEST_ID,
    Receive,
    Scope,
    Send,
    header,
    raw_path,
    request_id_of,
    request_of,
    send_response,
)
from loci_policy.decision import bearer_token
from loci_policy.gate import Gate, Pass, utc_now
from loci_policy.leasing import Leasing, Unused
from loci_policy.registry.follower import Registry
from loci_policy.responses import JSON, Response, error, options, unavailable
from loci_policy.table import Headers
from loci_runtime.draining import drained
from loci_runtime.tracing import parent_of, span

_CHECK: Final = "/check"
_TOO_LARGE: Final = "/too-large"
"""Where Envoy sends a request whose body is too large; like /check, no path that clients can ask for."""
_OPERATION: Final = headers.OPERATION.encode()
_LEASE_WANTED: Final = headers.LEASE.encode()
_LEASE: Final = b"loci-lease"
_VERSION: Final = version("loci-memory")


def is_admin(scope: Scope, admin_key_sha256: str | None) -> bool:
    """Whether a request presents the admin key; takes the same time for every wrong one."""
    token = bearer_token(header(scope, b"authorization")) or header(scope, b"x-api-key")
    if not token or admin_key_sha256 is None:
        return False
    return hmac.compare_digest(hashlib.sha256(token.encode("latin-1")).hexdigest(), admin_key_sha256)


class PolicyApp:
    """Raw ASGI: a framework would cost more than the decision."""

    def __init__(
        self, gate: Gate, registry: Registry, admin_key_sha256: str | None, leasing: Leasing | None = None
    ) -> None:
        self._gate = gate
        self._leasing = leasing
        self._registry = registry
        self._admin_key_sha256 = admin_key_sha256
        self._endpoints: dict[str, Callable[[Scope, str], Response]] = {
            "/livez": lambda *_: _json(200, {"status": "alive"}),
            "/readyz": self._ready,
            "/health": self._health,
            "/metrics": self._metrics,
            "/openapi.json": lambda *_: api_docs.openapi(),
            "/docs": lambda *_: api_docs.page(),
            "/docs/{asset}": _asset,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        path = raw_path(scope)
        if path.startswith(_CHECK):
            await self._check(scope, path[len(_CHECK) :], send)  # it has no body
        else:
            _, send = drained(scope, receive, send)
            own_id = request_id_of(scope)
            await send_response(scope, send, self._own(scope, path, own_id), ((REQUEST_ID, own_id.encode()),))

    async def _check(self, scope: Scope, path: str, send: Send) -> None:
        with span("rate_limiter", parent_of(scope)) as deciding:
            decision = await self._decide(scope, path)
            deciding.set(http__response__status_code=decision.status if isinstance(decision, Response) else 200)
        if isinstance(decision, Response):
            response = decision
        else:
            response = Response(200, (*decision.grant.upstream_headers, *decision.client_headers), b"")
            response = response.adding(await self._lease(scope, decision))
        await send_response(scope, send, response, ((_OPERATION, decision.operation.encode()),))

    async def _decide(self, scope: Scope, path: str) -> Pass | Response:
        if not self._registry.synced:  # every key would be unknown
            return unavailable(request_id_of(scope))
        return await self._gate.admit(request_of(scope, path), request_id_of(scope))

    def _own(self, scope: Scope, path: str, own_id: str) -> Response:
        return _too_large(scope, own_id) if path.startswith(_TOO_LARGE) else self._platform(scope, path, own_id)

    async def _lease(self, scope: Scope, passed: Pass) -> Headers:
        unused = header(scope, _LEASE_WANTED)
        if unused is None or self._leasing is None:
            return ()
        returned = Unused(unused, request_id_of(scope))
        lease = await self._leasing.offer(passed.grant, passed.client_headers, returned, utc_now())
        return ((_LEASE, lease),) if lease else ()

    def _platform(self, scope: Scope, path: str, own_id: str) -> Response:
        resource = PLATFORM.at(path)
        if resource is None:
            return error(404, ErrorCode.NOT_FOUND, PLATFORM.not_found_message(path), own_id)
        if resource.route(scope["method"]):
            return self._endpoints[resource.path](scope, own_id)
        if scope["method"] == "OPTIONS":
            return options(resource)
        refusal = error(405, ErrorCode.METHOD_NOT_ALLOWED, not_allowed_message(resource), own_id)
        return refusal.adding(((b"allow", resource.allow.encode()),))

    def _ready(self, *_: object) -> Response:
        """Ready also while stale: the last state serves, and taking every replica away would refuse everybody."""
        status = "starting" if not self._registry.synced else "stale" if self._registry.stale else "ready"
        return _json(503 if status == "starting" else 200, {"status": status})

    def _health(self, *_: object) -> Response:
        registry = "healthy" if self._registry.connected else "degraded" if self._registry.synced else "unhealthy"
        body = {"status": registry, "components": {"registry": registry}, "version": _VERSION}
        return _json(200 if self._registry.synced else 503, body)

    def _metrics(self, scope: Scope, own_id: str) -> Response:
        if not is_admin(scope, self._admin_key_sha256):
            message = "Metrics need the admin key, as `Authorization: Bearer ...`."
            return error(401, ErrorCode.UNAUTHORIZED, message, own_id)
        content_type = (b"content-type", CONTENT_TYPE_LATEST.encode())
        return Response(200, (content_type,), generate_latest(self._gate.metrics.collector_registry))


def _asset(scope: Scope, own_id: str) -> Response:
    found = api_docs.asset(raw_path(scope).rpartition("/")[2])
    return found or error(404, ErrorCode.NOT_FOUND, "There is nothing at this path.", own_id)


def _too_large(scope: Scope, own_id: str) -> Response:
    limit = header(scope, headers.MAX_BODY_BYTES.encode())
    return error(413, ErrorCode.PAYLOAD_TOO_LARGE, f"The body may have at most {limit} bytes.", own_id)


def _json(status: int, body: object) -> Response:
    return Response(status, (JSON,), orjson.dumps(body))
