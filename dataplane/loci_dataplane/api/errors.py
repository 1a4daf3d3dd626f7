"""Failures of the stores as responses: each has its status, error code and `Retry-After`."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from loci_contract.errors import ErrorCode
from loci_dataplane.injection import NotServingError
from loci_dataplane.stores.errors import StorageFullError, StoreUnavailableError
from loci_runtime.error_responses import error_response

_RETRY_FULL: Final = 30
"""Seconds; a volume is freed or enlarged by people or by expiry, not at once."""
_RETRY_SOON: Final = 5
_FULL: Final = (
    "The volume of this tenant's {} is full: nothing can be stored, changed or deleted until it is enlarged or space "
    "on it is freed. Reads and searches still work."
)
_UNAVAILABLE: Final = "This tenant's {} cannot be used at the moment; retry later."
_NOT_SERVING: Final = "This tenant is not serving: its {} cannot be opened. The service keeps trying; retry later."


def install(app: FastAPI) -> None:
    """Translate the stores' errors of an application."""
    app.exception_handler(StorageFullError)(_storage_full)
    app.exception_handler(StoreUnavailableError)(_unavailable)
    app.exception_handler(NotServingError)(_not_serving)


async def _storage_full(request: Request, error: StorageFullError) -> Response:
    problem = (507, ErrorCode.STORAGE_FULL, _FULL.format(error.component))
    return _response(request, problem, error.component, _RETRY_FULL)


async def _unavailable(request: Request, error: StoreUnavailableError) -> Response:
    problem = (503, ErrorCode.UNAVAILABLE, _UNAVAILABLE.format(error.component))
    return _response(request, problem, error.component, _RETRY_SOON)


async def _not_serving(request: Request, error: NotServingError) -> Response:
    problem = (503, ErrorCode.UNAVAILABLE, _NOT_SERVING.format(error.component))
    return _response(request, problem, error.component, _RETRY_SOON)


def _response(request: Request, problem: tuple[int, ErrorCode, str], component: str, retry_after: int) -> Response:
    status, code, message = problem
    more = {"component": component, "retry_after": retry_after}
    response = error_response(status, code, message, request.scope["request_id"], more)
    response.headers["Retry-After"] = str(retry_after)
    return response
