"""`loci dataplane`: a tenant's service as a process."""

from __future__ import annotations

import httpx
import structlog
from prometheus_client import CollectorRegistry

from loci_dataplane.app import Deps, create_app, running
from loci_dataplane.files import limits_file, token_file
from loci_dataplane.metrics import Families
from loci_dataplane.settings import Settings
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.http_embedder import HttpEmbedder
from loci_runtime.serving import run, serve

_EMBEDDER_TIMEOUT = 10.0


def main() -> None:
    """Serve until the process is told to stop."""
    settings = Settings()
    run(_serve(settings), settings.log_level)


async def _serve(settings: Settings) -> None:
    registry = CollectorRegistry()
    async with httpx.AsyncClient(base_url=settings.embedder_url, timeout=_EMBEDDER_TIMEOUT) as client:
        deps = Deps(
            tenant=settings.tenant,
            ingress_token=token_file(settings.ingress_token_file),
            limits=limits_file(settings.limits_file),
            open_stores=lambda: embedded_stores(settings.data_dir),
            embedder=HttpEmbedder(client),
            registry=registry,
            families=Families(registry),
        )
        app = create_app(deps)
        async with running(app):
            structlog.get_logger().info("serving", tenant_id=settings.tenant, host=settings.host, port=settings.port)
            await serve(app, host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
