"""What a request says of itself: its id, and the trace that it belongs to."""

from __future__ import annotations

import re
import uuid
from typing import Final

_REQUEST_ID: Final = re.compile(r"(?!sk-)[A-Za-z0-9._-]{1,128}")
"""Request ids are logged: an API key that was sent as one by mistake is none."""
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""W3C Trace Context's `traceparent`."""


def request_id(asked: str | None) -> str:
    """The caller's request id (`X-Request-ID`) where it can do no harm, or a new one."""
    return asked if asked is not None and _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())


def trace_id(trace_parent: str | None) -> str | None:
    """The trace's id in a `traceparent` header, hexadecimal; None without a valid one."""
    parent = _TRACE_PARENT.fullmatch(trace_parent or "")
    return parent and parent[1]
