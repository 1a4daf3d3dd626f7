"""What can go wrong, each with its meaning in HTTP; translated to the error shape once, in `answers.py`."""

from __future__ import annotations

from typing import ClassVar

from loci_contract.errors import ErrorCode, FieldError


class AdminError(Exception):
    """An error that a caller is told about; `field` names what to correct, where it is one field."""

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = [FieldError(field=field, message=message)] if field else None


class NotFoundError(AdminError):
    """There is no such tenant or key."""

    status = 404
    code = ErrorCode.NOT_FOUND


class ConflictError(AdminError):
    """It is there already, or was changed in the meantime."""

    status = 409
    code = ErrorCode.CONFLICT


class InvalidError(AdminError):
    """A field's value cannot be."""

    status = 422
    code = ErrorCode.VALIDATION_FAILED


class UnavailableError(AdminError):
    """Where tenants are kept cannot be reached."""

    status = 503
    code = ErrorCode.UNAVAILABLE
