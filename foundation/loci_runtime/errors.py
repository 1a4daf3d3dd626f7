"""Domain errors with an HTTP status and error code; `responses.py` translates them to error responses."""

from __future__ import annotations

from typing import Any, ClassVar

from loci_contract.errors import ErrorCode


class HttpError(Exception):
    """An error that is reported to the client.

    Args:
        message: what went wrong and what to do about it.
        field: the invalid field, if it is a single one, such as `body.name`.
        more: additional fields of the response body.
    """

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, field: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.message = message
        self.more = {**more, "fields": [{"field": field, "message": message}]} if field else more


class NotFoundError(HttpError):
    """The resource does not exist, or is not visible to the client."""

    status = 404
    code = ErrorCode.NOT_FOUND


class ConflictError(HttpError):
    """The resource already exists or was changed concurrently."""

    status = 409
    code = ErrorCode.CONFLICT


class InvalidError(HttpError):
    """A field is invalid by a rule beyond the request's schema."""

    status = 422
    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field)
        if field:
            self.message = f"{field}: {message}"


class UnavailableError(HttpError):
    """A dependency is temporarily unavailable."""

    status = 503
    code = ErrorCode.UNAVAILABLE
