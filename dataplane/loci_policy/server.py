"""The policy's HTTP face on its unix socket: Envoy's `ext_authz` under /check, and the platform's own endpoints."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from loci_contract.errors import ErrorCode
from loci_policy.asgi import Receive, Scope, Send, header, raw_path, request_id_of, request_of, send_answer
from loci_policy.decision import bearer_token
from loci_policy.gate import Gate
from loci_policy.registry.follower import Registry
from loci_policy.responses import JSON, Answer, error

_CHECK: Final = "/check"
_READING: Final = ("GET", "HEAD")
_VERSION: Final = version("loci-memory")


def is_admin(scope: Scope, admin_key_sha256: str | None) -> bool:
    """Whether a request presents the admin key; takes the same time for every wrong one."""
    token = bearer_token(header(scope, b"authorization")) or header(scope, b"x-api-key")
    if not token or admin_key_sha256 is None:
        return False
    return hmac.compare_digest(hashlib.sha256(token.encode("latin-1")).hexdigest(), admin_key_sha256)


class PolicyApp:
    """Raw ASGI: a framework would cost more than the decision."""

    def __init__(self, gate: Gate, registry: Registry, admin_key_sha256: str | None) -> None:
        self._gate = gate
        self._registry = registry
        self._admin_key_sha256 = admin_key_sha256
        self._own: dict[str, Callable[[Scope], Answer]] = {
            "/livez": lambda _: _json(200, {"status": "alive"}),
            "/readyz": self._ready,
            "/health": self._health,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - bodies never come
        """Answer one request."""
        path = raw_path(scope)
        if path.startswith(_CHECK):
            await self._check(scope, path[len(_CHECK) :], send)
            return
        own = self._own.get(path, _not_found) if scope["method"] in _READING else _not_allowed
        await send_answer(send, own(scope))

    async def _check(self, scope: Scope, path: str, send: Send) -> None:
        decision = await self._gate.admit(request_of(scope, path), request_id_of(scope))
        if not isinstance(decision, Answer):
            decision = Answer(200, (*decision.grant.upstream_headers, *decision.client_headers), b"")
        await send_answer(send, decision)

    def _ready(self, _: Scope) -> Answer:
        """Ready also while stale: the last state serves, and taking every replica away would refuse everybody."""
        status = "starting" if not self._registry.synced else "stale" if self._registry.stale else "ready"
        return _json(503 if status == "starting" else 200, {"status": status})

    def _health(self, _: Scope) -> Answer:
        registry = "healthy" if self._registry.connected else "degraded" if self._registry.synced else "unhealthy"
        body = {"status": registry, "components": {"registry": registry}, "version": _VERSION}
        return _json(200 if self._registry.synced else 503, body)

    def _metrics(self, scope: Scope) -> Answer:
        if not is_admin(scope, self._admin_key_sha256):
            message = "Metrics need the admin key, as `Authorization: Bearer ...`."
            return error(401, ErrorCode.UNAUTHORIZED, message, request_id_of(scope))
        return Answer(
            200, ((b"content-type", CONTENT_TYPE_LATEST.encode()),), generate_latest(self._gate.metrics.registry)
        )


def _not_allowed(scope: Scope) -> Answer:
    message = f"Use one of {', '.join(_READING)}."
    refused = error(405, ErrorCode.METHOD_NOT_ALLOWED, message, request_id_of(scope))
    return Answer(refused.status, (JSON, (b"allow", ", ".join(_READING).encode())), refused.body)


def _not_found(scope: Scope) -> Answer:
    return error(404, ErrorCode.NOT_FOUND, "There is nothing at this path.", request_id_of(scope))


def _json(status: int, body: object) -> Answer:
    return Answer(status, (JSON,), orjson.dumps(body))
