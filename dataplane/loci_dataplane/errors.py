"""What can go wrong, each with its meaning in HTTP; translated to the error shape once, in `answers.py`."""

from __future__ import annotations

from typing import Any, ClassVar

from loci_contract.errors import ErrorCode


class LociError(Exception):
    """An error that a caller is told about; `more` holds fields beyond the common ones."""

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message)
        self.message = message
        self.more = more


class NotFoundError(LociError):
    """There is no such memory for this tenant."""

    status = 404
    code = ErrorCode.NOT_FOUND


class ConflictError(LociError):
    """The memory was changed in the meantime."""

    status = 409
    code = ErrorCode.CONFLICT


class QuotaExceededError(LociError):
    """The tenant holds as many memories as it may."""

    status = 403
    code = ErrorCode.QUOTA_EXCEEDED


class InvalidFieldError(LociError):
    """A field says something that only its reader could tell was wrong, such as a filter or a cursor."""

    status = 422
    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", fields=[{"field": field, "message": problem}])


class UnavailableError(LociError):
    """Nothing that could answer is working just now."""

    status = 503
    code = ErrorCode.UNAVAILABLE


class EmbedderUnavailableError(Exception):
    """Texts cannot be embedded now; what waits for it stays in the outbox."""
