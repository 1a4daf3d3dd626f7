"""Errors of calls to the API server, and whether a retry may help."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import orjson

_TRANSIENT: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.GONE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class KubernetesError(Exception):
    """A call failed. `is_transient`: the same call may succeed later."""

    is_transient = True


class UnreachableError(KubernetesError):
    """No complete response in time: the API server is away, or the connection is broken or silent."""


class ApiError(KubernetesError):
    """The API server refused; `status` is HTTP's, `reason` Kubernetes'. The message may be shown: it quotes no data."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @property
    def is_transient(self) -> bool:  # type: ignore[override]
        """Whether the same call may succeed later."""
        return self.status in _TRANSIENT


def api_error(status: int, content: bytes) -> ApiError:
    """The error for a response that is no success; `content` is its body."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = {}
    return ApiError(status, document.get("reason", ""), document.get("message", f"status {status}"))
