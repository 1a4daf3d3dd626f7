"""Error responses for Starlette and FastAPI applications."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from loci_contract.errors import ErrorCode, error_body


def error_response(
    status: int, code: ErrorCode, message: str, request_id: str, more: Mapping[str, Any] | None = None
) -> Response:
    """Response in the API's error format; `more` contains additional fields of the body."""
    body = error_body(code, message, request_id, **(more or {}))
    # Not orjson: a field name sent by the client may not be valid Unicode.
    return Response(json.dumps(body), status, media_type="application/json")
