"""Around every request of a tenant: only what came through the ingress is served."""

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
"""Room for the longest content with each character written as two `\\uXXXX`."""


def ingress_only(token: Callable[[], bytes]) -> Callable[[Headers, str], Response | None]:
    """Refuses every request without the tenant's present ingress token."""

    def guard(given: Headers, request_id: str) -> Response | None:
        if hmac.compare_digest(given.get(headers.INGRESS_TOKEN, "").encode("latin-1"), token()):
            return None
        return error_response(403, ErrorCode.FORBIDDEN, "Requests come through the ingress.", request_id)

    return guard
