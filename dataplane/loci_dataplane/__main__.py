"""`loci dataplane`: a tenant's service as a process."""

from __future__ import annotations

import asyncio
import signal

import httpx
import structlog
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry

from loci_dataplane import logs
from loci_dataplane.app import create_app, running
from loci_dataplane.deps import Deps
from loci_dataplane.limits import LimitsFile
from loci_dataplane.metrics import Families
from loci_dataplane.settings import Settings
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.http_embedder import HttpEmbedder

_EMBEDDER_TIMEOUT = 10.0
_KEEP_ALIVE_SECONDS = 75


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    registry = CollectorRegistry()
    async with (
        embedded_stores(settings.data_dir) as (records, vectors),
        httpx.AsyncClient(base_url=settings.embedder_url, timeout=_EMBEDDER_TIMEOUT) as client,
    ):
        deps = Deps(
            tenant=settings.tenant,
            ingress_token=settings.ingress_token_file.read_text().strip(),
            limits=LimitsFile(settings.limits_file),
            records=records,
            vectors=vectors,
            embedder=HttpEmbedder(client),
            registry=registry,
            families=Families(registry),
        )
        app = create_app(deps)
        async with running(app):
            structlog.get_logger().info("serving", tenant_id=settings.tenant, host=settings.host, port=settings.port)
            _let_signals_pass()
            await uvicorn.Server(_options(app, settings)).serve()


def _let_signals_pass() -> None:
    """Uvicorn ends on a signal and raises it again, which would keep the stores from being closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)


def _options(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own ASGI types are narrower than Starlette's
        host=settings.host,
        port=settings.port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
