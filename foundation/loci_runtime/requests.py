"""Request and trace ids from request headers."""

from __future__ import annotations

import re
import uuid
from typing import Final

_REQUEST_ID: Final = re.compile(r"(?!sk-)[A-Za-z0-9._-]{1,128}")
"""Format of accepted request ids. They are logged, so API keys sent by mistake must not match."""
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""Format of the W3C Trace Context header `traceparent`."""


def request_id(asked: str | None) -> str:
    """Request id sent by the client (`X-Request-ID`) if it is safe to log, or a new one."""
    return asked if asked is not None and _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())


def trace_id(trace_parent: str | None) -> str | None:
    """Hexadecimal trace id of a `traceparent` header; None if it is invalid."""
    parent = _TRACE_PARENT.fullmatch(trace_parent or "")
    return parent and parent[1]
