"""`loci admin`: composition root of the admin API process."""

from __future__ import annotations

import structlog

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_admin.settings import Settings
from loci_admin.tenants.kubernetes_store import kubernetes_store
from loci_runtime.serving import run, serve
from loci_runtime.tracing import Traced, exporting


def main() -> None:
    """Serve until terminated."""
    settings = Settings()
    run(_serve(settings), settings, exporting("loci-admin", settings.otlp_endpoint))


async def _serve(settings: Settings) -> None:
    async with kubernetes_store(settings.kubeconfig) as store:
        structlog.get_logger().info("serving", host=settings.host, port=settings.port)
        app = Traced(create_app(Deps(store, settings.admin_key_sha256)), "admin_api", response="caller")
        await serve(app, host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
