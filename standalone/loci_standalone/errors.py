"""What keeps `loci serve` from starting, or a tenant from being taken up."""

from __future__ import annotations

from loci_contract.errors import ErrorCode
from loci_runtime.errors import HttpError


class StartError(Exception):
    """The process cannot start; the message says why and what to do, in one line."""


class TenantRefusedError(Exception):
    """A tenant cannot be as it is described; the message says why and what to do."""


class RetainedDataError(TenantRefusedError):
    """An earlier tenant of that name left its data, which a new one must not see."""


class DiskFullError(HttpError):
    """The data folder's volume is full; `retry_after` is sent as `Retry-After`, too."""

    status = 507
    code = ErrorCode.STORAGE_FULL
