"""Cross-origin requests (the Fetch standard's CORS): which web pages may call a tenant's API. None unless configured.

No `Access-Control-Allow-Credentials`: keys are sent in a header, never in a cookie, so that `*` is safe, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from loci_contract.routes import Resource
from loci_policy.table import Headers

ANY: Final = "*"
_REQUEST_HEADERS: Final = (
    b"authorization, content-encoding, content-type, idempotency-key, if-match, if-none-match, "
    b"traceparent, tracestate, x-api-key, x-request-id"
)
_RESPONSE_HEADERS: Final = (
    b"allow, etag, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-ratelimit-limit, "
    b"x-ratelimit-mode, x-ratelimit-remaining, x-ratelimit-reset, x-request-id"
)
_MAX_AGE_SECONDS: Final = b"600"


class Cors:
    """The origins that may call, such as `https://app.example.com`; `*` stands for every origin."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    def response_headers(self, origin: str | None) -> Headers:
        """Headers of the response to a request that a page of this origin sent; empty when CORS is off."""
        if not self._origins:
            return ()
        # With a list of origins the response differs by origin, which a cache must know.
        vary: Headers = () if ANY in self._origins else ((b"vary", b"origin"),)
        if origin is None or not self._is_allowed(origin):
            return vary
        allowed = b"*" if ANY in self._origins else origin.encode()
        expose = (b"access-control-expose-headers", _RESPONSE_HEADERS)
        return (*vary, (b"access-control-allow-origin", allowed), expose)

    def preflight_headers(self, origin: str | None, resource: Resource) -> Headers:
        """Additional headers of the response to a preflight request; empty unless the origin is allowed."""
        if not self._is_allowed(origin):
            return ()
        return (
            (b"access-control-allow-methods", resource.allow.encode()),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        )

    def _is_allowed(self, origin: str | None) -> bool:
        return origin is not None and (ANY in self._origins or origin in self._origins)
