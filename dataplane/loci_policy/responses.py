"""The responses that the policy gives itself, and the headers that tell a caller about its rate limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from loci_contract.errors import ErrorCode, error_body
from loci_contract.registry import Limits
from loci_contract.routes import OPTIONS_OPERATION, UNKNOWN_OPERATION, Resource
from loci_policy.buckets.bucket import Verdict
from loci_policy.decision import Deny
from loci_policy.table import Headers

JSON: Final = (b"content-type", b"application/json")
_MINUTE: Final = 60
_EXTRA: Final[dict[int, Headers]] = {
    401: ((b"www-authenticate", b'Bearer realm="loci"'),),
    503: ((b"retry-after", b"1"),),
}


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP response; `operation` is for metrics and logs."""

    status: int
    headers: Headers
    body: bytes
    operation: str = UNKNOWN_OPERATION

    def adding(self, headers: Headers) -> Response:
        """The same response with more headers."""
        return replace(self, headers=(*self.headers, *headers)) if headers else self


def refused(deny: Deny, request_id: str) -> Response:
    """The response to a request that may not pass."""
    response = replace(error(deny.status, deny.error, deny.message, request_id), operation=deny.operation)
    return response.adding(((b"allow", deny.allow.encode()),)) if deny.allow else response


def options(resource: Resource) -> Response:
    """The response to OPTIONS: the methods of a path."""
    return Response(204, ((b"allow", resource.allow.encode()),), b"", OPTIONS_OPERATION)


def unavailable(request_id: str) -> Response:
    """The response when no decision is possible: the request does not pass."""
    return error(503, ErrorCode.UNAVAILABLE, "The service is unavailable at the moment; try again soon.", request_id)


def error(status: int, code: ErrorCode, message: str, request_id: str) -> Response:
    """A response in the one error shape, with the headers that belong to its status."""
    return Response(status, (JSON, *_EXTRA.get(status, ())), orjson.dumps(error_body(code, message, request_id)))


def limited(limits: Limits, verdict: Verdict, request_id: str, now: datetime) -> Response:
    """The response to a request beyond its tenant's rate limit.

    A token bucket refuses for one reason alone, that its burst capacity is used up; the rate tells when there is room.
    """
    seconds = max(1, math.ceil(verdict.retry_after))
    reset_at = now + timedelta(seconds=verdict.reset_after)
    body = error_body(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        f"The burst capacity of {limits.burst} requests is used up. It refills at {limits.requests_per_minute} "
        f"requests a minute: try again in {seconds} s.",
        request_id,
        policy="burst",
        retry_after=seconds,
        limit=limits.requests_per_minute,
        burst=limits.burst,
        remaining=verdict.remaining,
        reset_at=reset_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
    headers = (JSON, (b"retry-after", b"%d" % seconds), *rate_headers(limits, verdict, now))
    return Response(429, headers, orjson.dumps(body))


def rate_headers(limits: Limits, verdict: Verdict, now: datetime) -> Headers:
    """Rate-limit headers of any response: the IETF draft's (httpapi-ratelimit-headers-10) and the customary ones.

    `X-RateLimit-Limit` is the rate, requests a minute; remaining and reset describe the bucket: tokens left of its
    burst capacity, and when it is full again (in Unix seconds; the draft's `t` in seconds from now). The draft's `w` of
    the policy `burst` is the time in which an empty bucket fills.
    """
    burst, per_minute, remaining = limits.burst, limits.requests_per_minute, verdict.remaining
    window = math.ceil(burst * _MINUTE / per_minute)
    policies = b'"burst";q=%d;w=%d, "minute";q=%d;w=%d' % (burst, window, per_minute, _MINUTE)
    headers: Headers = (
        (b"ratelimit-policy", policies),
        (b"ratelimit", b'"burst";r=%d;t=%d' % (remaining, math.ceil(verdict.reset_after))),
        (b"x-ratelimit-limit", b"%d" % per_minute),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % math.ceil(now.timestamp() + verdict.reset_after)),
    )
    return (*headers, (b"x-ratelimit-mode", b"local")) if verdict.degraded else headers
