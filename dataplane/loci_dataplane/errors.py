"""What can go wrong with a tenant's memories, beyond what any process may answer."""

from __future__ import annotations

from loci_contract.errors import ErrorCode
from loci_runtime.errors import HttpError


class QuotaExceededError(HttpError):
    """The tenant holds as many memories as it may."""

    status = 403
    code = ErrorCode.QUOTA_EXCEEDED


class EmbedderUnavailableError(Exception):
    """Texts cannot be embedded now; what waits for it stays in the outbox."""
