"""kubectl with a timeout."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from loci_dev.tools.catalog import tool

_SECONDS: Final = 150  # more than the 120 s that tests let `kubectl wait` take, which then says itself what it missed


def kubectl(kubeconfig: Path, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run kubectl; raise TimeoutExpired when it takes too long."""
    command = [str(tool("kubectl")), f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=_SECONDS)
