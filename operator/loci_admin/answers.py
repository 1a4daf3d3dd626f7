"""Every error as the one shape; none repeats what was sent."""

from __future__ import annotations

from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from loci_admin.errors import AdminError
from loci_contract.errors import ErrorCode, error_body

_PLAIN: Final = {
    400: (ErrorCode.BAD_REQUEST, "The body is not valid JSON in UTF-8."),
    404: (ErrorCode.NOT_FOUND, "There is nothing at this path."),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "This path does not take this method."),
}


def install(app: FastAPI) -> None:
    """Translate every expected error of an application."""
    app.exception_handler(AdminError)(_admin_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)


def answer(status: int, code: ErrorCode, message: str, request_id: str, **more: Any) -> Response:
    """An answer in the error shape."""
    body = error_body(code, message, request_id, **more)
    return Response(orjson.dumps(body), status, media_type="application/json")


async def _admin_error(request: Request, error: AdminError) -> Response:
    fields = {"fields": [field.model_dump() for field in error.fields]} if error.fields else {}
    return answer(error.status, error.code, error.message, request.scope["request_id"], **fields)


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    request_id, found = request.scope["request_id"], error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return answer(400, *_PLAIN[400], request_id)
    fields = [
        {"field": ".".join(map(str, entry["loc"])), "message": entry["msg"].removeprefix("Value error, ")}
        for entry in found
    ]
    message = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:3])
    return answer(422, ErrorCode.VALIDATION_FAILED, message, request_id, fields=fields)


async def _http_error(request: Request, error: HTTPException) -> Response:
    code, message = _PLAIN.get(error.status_code, (ErrorCode.BAD_REQUEST, "The request cannot be answered."))
    response = answer(error.status_code, code, message, request.scope["request_id"])
    response.headers.update(error.headers or {})
    return response
