"""`loci admin`: composition root of the admin API process."""

from __future__ import annotations

import structlog

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_admin.settings import Settings
from loci_admin.tenants.kubernetes_store import kubernetes_store
from loci_runtime.serving import run, serve


def main() -> None:
    """Serve until terminated."""
    settings = Settings()
    run(_serve(settings), settings)


async def _serve(settings: Settings) -> None:
    async with kubernetes_store(settings.kubeconfig) as store:
        structlog.get_logger().info("serving", host=settings.host, port=settings.port)
        await serve(create_app(Deps(store, settings.admin_key_sha256)), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
