"""Guard that accepts only requests which came through the ingress."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_runtime.error_responses import error_response

MAX_BODY_BYTES: Final = 524_288
"""Fits the longest content with every character escaped as two `\\uXXXX`."""


def ingress_only(token: Callable[[], bytes]) -> Callable[[Headers, str], Response | None]:
    """Guard that rejects requests without the tenant's current ingress token."""

    def guard(request_headers: Headers, request_id: str) -> Response | None:
        if hmac.compare_digest(request_headers.get(headers.INGRESS_TOKEN, "").encode("latin-1"), token()):
            return None
        return error_response(403, ErrorCode.FORBIDDEN, "Send requests through the ingress.", request_id)

    return guard
