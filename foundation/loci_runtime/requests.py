"""Request and trace ids from request headers; charts/loci/files/identity.lua has the same rules for Envoy."""

from __future__ import annotations

import re
import uuid
from typing import Final

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
"""Format of accepted request ids: a token as RFC 9110 defines it."""
_KEY: Final = re.compile(r"(?<![A-Za-z0-9])sk-|sk-[a-z][-a-z0-9]*-[0-9A-Za-z]{39}(?![0-9A-Za-z])")
"""An API key in a text: at the start of a word, or anywhere if it is complete."""
_CREDENTIAL_MIN: Final = 8
_TRACE_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
"""Format of the W3C Trace Context header `traceparent`."""
_TRACE_PARENT_LENGTH: Final = 55


def request_id(asked: str | None, *credentials: str | None) -> str:
    """Request id sent by the client (`X-Request-ID`) if it is safe to log, or a new one.

    Args:
        asked: the header's value.
        credentials: values of the request's credential headers; an id that holds one of them is not kept.
    """
    if asked is None or not _TOKEN.fullmatch(asked) or _KEY.search(asked):
        return str(uuid.uuid4())
    return str(uuid.uuid4()) if any(_holds(asked, sent) for sent in credentials) else asked


def _holds(asked: str, sent: str | None) -> bool:
    credential = sent.split()[-1] if sent and not sent.isspace() else ""
    return len(credential) >= _CREDENTIAL_MIN and credential in asked


def trace_id(trace_parent: str | None) -> str | None:
    """Hexadecimal trace id of a `traceparent` header; None if it is invalid."""
    parent = _TRACE_PARENT.fullmatch(trace_parent or "")
    if parent is None or (parent[0].startswith("00") and len(parent[0]) != _TRACE_PARENT_LENGTH):
        return None
    return parent[1]
