"""An error as an HTTP response, for applications on Starlette with or without FastAPI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from loci_contract.errors import ErrorCode, error_body


def error_response(
    status: int, code: ErrorCode, message: str, request_id: str, more: Mapping[str, Any] | None = None
) -> Response:
    """A response in the one error shape; `more` are further fields of its body."""
    body = error_body(code, message, request_id, **(more or {}))
    # Not orjson: the name of a field that a caller sent may not be valid Unicode.
    return Response(json.dumps(body), status, media_type="application/json")
