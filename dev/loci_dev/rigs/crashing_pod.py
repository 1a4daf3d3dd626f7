"""A data plane that is killed over and over: `python -m loci_dev.rigs.crashing_pod` forks one for each line it reads.

Starting Python and loading its libraries takes longer than everything else in a round, so this process loads them once
and forks. A line is `[point, nth]` (see `faults`); the answer is the PID of a new data plane with that fault, whose
settings are this process's environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from loci_dataplane.__main__ import places
from loci_dataplane.app import Deps, create_app, running
from loci_dataplane.files import limits_file, token_file
from loci_dataplane.metrics import Families
from loci_dataplane.settings import Settings
from loci_dataplane.stores.http_embedder import HttpEmbedder
from loci_dataplane.stores.opening import open_stores
from loci_dataplane.stores.ports import Stores
from loci_dev.rigs.faults import Fault, guarded
from loci_dev.rigs.processes import die_with_parent
from loci_runtime.serving import run, serve


class Factory:
    """Starts crashing data planes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, point: str, nth: int) -> int:
        """Start one and return its PID."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([point, nth]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def factory(environment: dict[str, str], log: Path) -> Iterator[Factory]:
    """Run a factory for the length of the block; its data planes end with it."""
    command = [sys.executable, "-m", "loci_dev.rigs.crashing_pod"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env={**os.environ, **environment},
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one libc call, safe with threads
        )
    try:
        yield Factory(process)
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Fork a data plane for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    for line in sys.stdin:
        point, nth = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent()
            os.dup2(2, 1)
            settings = Settings(log_level="error")
            run(_serve(settings, Fault(point, nth)), settings)
            os._exit(0)
        print(child, flush=True)


async def _serve(settings: Settings, fault: Fault) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: fault.arm())
    registry = CollectorRegistry()
    async with httpx.AsyncClient(base_url=settings.embedder_url, timeout=10) as client:
        deps = Deps(
            tenant=settings.tenant,
            ingress_token=token_file(settings.ingress_token_file),
            limits=limits_file(settings.limits_file),
            open_stores=lambda: _stores(settings, fault),
            embedder=HttpEmbedder(client),
            registry=registry,
            families=Families(registry),
        )
        app = create_app(deps)
        async with running(app):
            await serve(app, host=settings.host, port=settings.port)


@contextlib.asynccontextmanager
async def _stores(settings: Settings, fault: Fault) -> AsyncIterator[Stores]:
    async with open_stores(places(settings)) as stores:
        yield guarded(stores, fault)


if __name__ == "__main__":
    main()
