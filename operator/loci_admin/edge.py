"""Authentication middleware of the admin API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_contract.names import is_tenant_name
from loci_runtime.error_responses import error_response

MAX_BODY_BYTES: Final = 65_536


def admin_only(admin_key_sha256: str) -> Callable[[Headers, str], Response | None]:
    """Rejects requests without the admin key, which is compared by its hexadecimal SHA-256."""

    def guard(request_headers: Headers, request_id: str) -> Response | None:
        scheme, _, token = request_headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else request_headers.get(headers.API_KEY, "")
        if hmac.compare_digest(hashlib.sha256(key.encode("latin-1")).hexdigest(), admin_key_sha256):
            return None
        message = "The admin key is required: send `Authorization: Bearer <admin key>` or `X-API-Key: <admin key>`."
        refused = error_response(401, ErrorCode.UNAUTHORIZED, message, request_id)
        refused.headers["WWW-Authenticate"] = 'Bearer realm="loci-admin"'
        return refused

    return guard


def named_tenant(scope: Scope) -> dict[str, Any]:
    """Tenant in the path, for the log; only valid names, since clients may put a key there by mistake."""
    named = scope.get("path_params", {}).get("tenant_id", "")
    return {"tenant_id": named if is_tenant_name(named) else None}
