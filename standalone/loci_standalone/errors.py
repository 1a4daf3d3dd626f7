"""Errors of `loci serve` at startup and of its tenants."""

from __future__ import annotations

from loci_contract.errors import ErrorCode
from loci_runtime.errors import HttpError


class StartError(Exception):
    """The process cannot start; the message is one line with the cause and what to do."""


class TenantRefusedError(Exception):
    """A tenant's spec is rejected; the message says why and what to do."""


class RetainedDataError(TenantRefusedError):
    """Data retained from an earlier tenant of this name exists, which a new tenant must not see."""


class DiskFullError(HttpError):
    """The data folder's volume is full; `retry_after` is also sent as `Retry-After`."""

    status = 507
    code = ErrorCode.STORAGE_FULL
