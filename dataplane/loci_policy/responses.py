"""The answers that the policy gives in a tenant's stead, and the headers that tell a caller about its rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from loci_contract.errors import ErrorCode, error_body
from loci_contract.registry import Limits
from loci_policy.buckets.bucket import Verdict
from loci_policy.decision import METHODS, Deny
from loci_policy.table import Headers

JSON: Final = (b"content-type", b"application/json")
_WINDOW: Final = 60
_EXTRA: Final[dict[int, Headers]] = {
    401: ((b"www-authenticate", b'Bearer realm="loci"'),),
    405: ((b"allow", ", ".join(METHODS).encode()),),
    503: ((b"retry-after", b"1"),),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: Headers
    body: bytes


def refused(deny: Deny, request_id: str) -> Answer:
    """The answer to a request that may not pass."""
    return error(deny.status, deny.error, deny.message, request_id)


def unavailable(request_id: str) -> Answer:
    """The answer when nothing can be decided: nobody passes."""
    message = "The service cannot answer just now; try again in a moment."
    return error(503, ErrorCode.UNAVAILABLE, message, request_id)


def error(status: int, code: ErrorCode, message: str, request_id: str) -> Answer:
    """An answer in the one error shape, with the headers that belong to its status."""
    return Answer(status, (JSON, *_EXTRA.get(status, ())), orjson.dumps(error_body(code, message, request_id)))


def limited(limits: Limits, verdict: Verdict, request_id: str, now: datetime) -> Answer:
    """The answer to a request beyond its tenant's rate."""
    reset_at = now + timedelta(seconds=verdict.reset_after)
    body = error_body(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        f"More than {limits.requests_per_minute} requests a minute; try again in {verdict.retry_after:.1f} s.",
        request_id,
        retry_after=math.ceil(verdict.retry_after * 1000) / 1000,
        limit=limits.requests_per_minute,
        remaining=verdict.remaining,
        reset_at=reset_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
    retry_after = (b"retry-after", b"%d" % math.ceil(verdict.retry_after))
    return Answer(429, (JSON, retry_after, *rate_headers(limits, verdict, now)), orjson.dumps(body))


def rate_headers(limits: Limits, verdict: Verdict, now: datetime) -> Headers:
    """Rate-limit headers of any answer: the IETF draft's (httpapi-ratelimit-headers-10) and the customary ones.

    `X-RateLimit-Reset` is in Unix seconds, the draft's `t` in seconds from now: when the bucket is full again.
    """
    limit, remaining = limits.requests_per_minute, verdict.remaining
    headers: Headers = (
        (b"ratelimit-policy", b'"default";q=%d;w=%d' % (limit, _WINDOW)),
        (b"ratelimit", b'"default";r=%d;t=%d' % (remaining, math.ceil(verdict.reset_after))),
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % math.ceil(now.timestamp() + verdict.reset_after)),
    )
    return (*headers, (b"x-ratelimit-mode", b"local")) if verdict.degraded else headers
