"""Run checks one after another; a check that cannot be made becomes a finding that says why."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from loci_cli.doctor.findings import Finding, failed, warning
from loci_cli.doctor.installation import FaultError, Installation
from loci_kubernetes.errors import ApiError, UnreachableError

_SECONDS: Final = 120.0
_ATTEMPTS: Final = 2
"""A single request that times out says little on a busy cluster."""

Check = Callable[[Installation], Awaitable[list[Finding]]]


async def examine(installation: Installation, checks: Mapping[str, Check]) -> list[Finding]:
    """The findings of all checks, in their order."""
    return [finding for name, check in checks.items() for finding in await _guarded(installation, name, check)]


async def _guarded(installation: Installation, name: str, check: Check) -> list[Finding]:
    try:
        async with asyncio.timeout(_SECONDS):
            return await _repeated(installation, check)
    except FaultError as error:
        return [failed(name, str(error), error.fix)]
    except ApiError as error:
        return [_refused(name, error)]
    except UnreachableError as error:
        return [failed(name, f"The API server cannot be reached: {error}.", "Check the kubeconfig and the network.")]
    except TimeoutError:
        return [
            failed(name, f"Not finished within {_SECONDS:g} s.", "Check the load of the API server and the stores.")
        ]


async def _repeated(installation: Installation, check: Check) -> list[Finding]:
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(UnreachableError):
            return await check(installation)
    return await check(installation)


def _refused(name: str, error: ApiError) -> Finding:
    if error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
        return warning(name, f"Not checked: {error}.", "Run the command as a user with this permission.")
    return failed(name, f"The API server refused: {error}.", "Check the API server and the installed CRDs.")
