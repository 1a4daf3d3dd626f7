"""Translate all errors of a FastAPI application to the API's error format, without quoting the request."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from loci_contract.errors import ErrorCode
from loci_runtime.bodies import BodyError
from loci_runtime.error_responses import error_response
from loci_runtime.errors import HttpError

_NOT_JSON: Final = "The body is not valid UTF-8 JSON."


def install(app: FastAPI) -> None:
    """Register handlers for all expected errors of an application wrapped in `Edge`."""
    app.exception_handler(HttpError)(_known_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(BodyError)(_body_error)
    app.exception_handler(HTTPException)(_http_error)


def _request_id(request: Request) -> str:
    found: str = request.scope["request_id"]
    return found


async def _known_error(request: Request, error: HttpError) -> Response:
    response = error_response(error.status, error.code, error.message, _request_id(request), error.more)
    if "retry_after" in error.more:
        response.headers["Retry-After"] = str(error.more["retry_after"])
    return response


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return error_response(400, ErrorCode.BAD_REQUEST, _NOT_JSON, _request_id(request))
    fields = [
        {"field": ".".join(map(str, entry["loc"])), "message": entry["msg"].removeprefix("Value error, ")}
        for entry in found
    ]
    message = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:3])
    return error_response(422, ErrorCode.VALIDATION_FAILED, message, _request_id(request), {"fields": fields})


async def _body_error(request: Request, error: BodyError) -> Response:
    return error_response(error.status_code, error.code, error.detail, _request_id(request))


async def _http_error(request: Request, error: HTTPException) -> Response:
    """Handle FastAPI's own error for an unparsable body; paths and methods are checked by the edge."""
    response = error_response(error.status_code, ErrorCode.BAD_REQUEST, _NOT_JSON, _request_id(request))
    response.headers.update(error.headers or {})
    return response
