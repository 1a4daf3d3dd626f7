"""What a caller can be told went wrong, each with its meaning in HTTP; `answers.py` makes the error shape of it."""

from __future__ import annotations

from typing import Any, ClassVar

from loci_contract.errors import ErrorCode


class HttpError(Exception):
    """An error that a caller is told about.

    Args:
        message: what went wrong and what to do about it.
        field: what to correct, where it is one field, such as `body.name`.
        more: further fields of the answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, field: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.message = message
        self.more = {**more, "fields": [{"field": field, "message": message}]} if field else more


class NotFoundError(HttpError):
    """There is no such thing for this caller."""

    status = 404
    code = ErrorCode.NOT_FOUND


class ConflictError(HttpError):
    """It is there already, or was changed in the meantime."""

    status = 409
    code = ErrorCode.CONFLICT


class InvalidError(HttpError):
    """A field says something that only its reader could tell was wrong."""

    status = 422
    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field)
        if field:
            self.message = f"{field}: {message}"


class UnavailableError(HttpError):
    """Nothing that could answer is working just now."""

    status = 503
    code = ErrorCode.UNAVAILABLE
