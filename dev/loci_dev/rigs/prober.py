"""The isolation prober as a process on the loopback address."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from loci_dev.rigs.pod import answers
from loci_dev.rigs.processes import free_port, running


@contextlib.contextmanager
def prober(folder: Path, ingress_url: str, admin_key: str, **settings: str) -> Iterator[str]:
    """Run the prober, with a round each second, and yield its address."""
    port = free_port()
    environment = {
        "LOCI_INGRESS_URL": ingress_url,
        "LOCI_ADMIN_KEY": admin_key,
        "LOCI_TIER": "enterprise",
        "LOCI_INTERVAL_SECONDS": "1",
        "LOCI_PORT": str(port),
        **settings,
    }
    url, command = f"http://127.0.0.1:{port}", [sys.executable, "-m", "loci_prober"]
    with running(command, folder / "prober.log", ready=answers(f"{url}/livez"), environment=environment):
        yield url
