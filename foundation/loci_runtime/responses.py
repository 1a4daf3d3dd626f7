"""Every error of a FastAPI application as the one shape, translated here once; none repeats what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from loci_contract.errors import ErrorCode, error_body
from loci_runtime.errors import HttpError

_CODES: Final = {
    400: ErrorCode.BAD_REQUEST,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
}
_MESSAGES: Final = {
    400: "The body is not valid JSON in UTF-8.",
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
}


def install(app: FastAPI) -> None:
    """Translate every expected error of an application that `Edge` surrounds."""
    app.exception_handler(HttpError)(_told)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)


def answer(
    status: int, code: ErrorCode, message: str, request_id: str, more: Mapping[str, Any] | None = None
) -> Response:
    """An answer in the error shape."""
    body = error_body(code, message, request_id, **(more or {}))
    # Not orjson: a field that a caller made up may be no valid Unicode.
    return Response(json.dumps(body), status, media_type="application/json")


def _request_id(request: Request) -> str:
    found: str = request.scope["request_id"]
    return found


async def _told(request: Request, error: HttpError) -> Response:
    response = answer(error.status, error.code, error.message, _request_id(request), error.more)
    if "retry_after" in error.more:
        response.headers["Retry-After"] = str(error.more["retry_after"])
    return response


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return answer(400, ErrorCode.BAD_REQUEST, _MESSAGES[400], _request_id(request))
    fields = [
        {"field": ".".join(map(str, entry["loc"])), "message": entry["msg"].removeprefix("Value error, ")}
        for entry in found
    ]
    message = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:3])
    return answer(422, ErrorCode.VALIDATION_FAILED, message, _request_id(request), {"fields": fields})


async def _http_error(request: Request, error: HTTPException) -> Response:
    code = _CODES.get(error.status_code, ErrorCode.BAD_REQUEST)
    message = _MESSAGES.get(error.status_code, error.detail)
    response = answer(error.status_code, code, message, _request_id(request))
    response.headers.update(error.headers or {})
    return response
