"""Error format of all HTTP responses: `{error, message, request_id, ...}`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ErrorCode(StrEnum):
    """Machine-readable error codes, one per cause."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TENANT_SUSPENDED = "tenant_suspended"
    QUOTA_EXCEEDED = "quota_exceeded"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    VALIDATION_FAILED = "validation_failed"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    INTERNAL = "internal_error"
    STORAGE_FULL = "storage_full"
    UNAVAILABLE = "service_unavailable"


class FieldError(BaseModel):
    """An invalid field of a request: its location and what is allowed, never its value."""

    field: str = Field(description="Dotted path of the field, such as `body.content` or `query.limit`.")
    message: str


class ErrorBody(BaseModel):
    """Body of every error response; some errors add fields (`retry_after`, `limit`, ...)."""

    model_config = ConfigDict(extra="allow")

    error: ErrorCode
    message: str = Field(description="Human-readable description of the error and what to do about it.")
    request_id: str
    fields: list[FieldError] | None = None


def error_body(error: ErrorCode, message: str, request_id: str, **more: Any) -> dict[str, Any]:
    """Error body as a JSON-serialisable object."""
    return {"error": error.value, "message": message, "request_id": request_id, **more}
