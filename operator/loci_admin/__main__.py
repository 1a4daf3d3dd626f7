"""`loci admin`: the admin API as a process."""

from __future__ import annotations

import asyncio

import structlog
import uvicorn
import uvloop

from loci_admin import logs
from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_admin.settings import Settings
from loci_admin.tenants.kubernetes_store import kubernetes_store


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with kubernetes_store(settings.kubeconfig) as store:
        app = create_app(Deps(store, settings.admin_key_sha256))
        structlog.get_logger().info("serving", host=settings.host, port=settings.port)
        options = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=75,
        )
        await uvicorn.Server(options).serve()


if __name__ == "__main__":
    main()
