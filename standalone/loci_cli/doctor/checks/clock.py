"""Clock skew between this machine and the API server: keys expire by the clock, and so do tokens and certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from loci_cli.doctor.findings import Finding, failed, ok, skipped, warning
from loci_cli.doctor.installation import Installation
from loci_kubernetes.connection import Timeouts

_NAME: Final = "clock"
_TOLERATED: Final = 3.0
"""Seconds; the Date header has whole seconds, and the response takes time."""
_FAILED: Final = 30.0
_TIMEOUTS: Final = Timeouts(silence=10.0, total=10.0)


async def check(installation: Installation) -> list[Finding]:
    """Compare the local clock with the API server's Date header."""
    async with installation.connection.request("GET", "/version", {}, timeouts=_TIMEOUTS) as response:
        date = response.headers.get("Date")
        await response.read()
    if date is None:
        return [skipped(_NAME, "The API server's response has no Date header.")]
    return [judged(parsedate_to_datetime(date), installation.now())]


def judged(theirs: datetime, ours: datetime) -> Finding:
    """The finding for two clocks, both with a time zone."""
    seconds = (ours.astimezone(UTC) - theirs.astimezone(UTC)).total_seconds()
    message = (
        f"This machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the API server's."
    )
    fix = "Synchronise the clocks of this machine and the control plane (chrony, systemd-timesyncd)."
    if abs(seconds) > _FAILED:
        return failed(_NAME, message, fix)
    if abs(seconds) > _TOLERATED:
        return warning(_NAME, message, fix)
    return ok(_NAME, f"The clocks of this machine and the API server agree within {_TOLERATED:g} s.")
