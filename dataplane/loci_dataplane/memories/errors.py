"""Errors of memories over HTTP, beyond those of every service."""

from __future__ import annotations

from loci_contract.errors import ErrorCode
from loci_runtime.errors import HttpError


class QuotaError(HttpError):
    """The tenant holds its maximum number of memories."""

    status = 403
    code = ErrorCode.QUOTA_EXCEEDED
