"""`loci embedder`: the embedder as a process."""

from __future__ import annotations

import asyncio

import structlog
import uvicorn

from loci_embedder import logs
from loci_embedder.app import create_app
from loci_embedder.batching import Batcher
from loci_embedder.encoder import MODEL_NAME, Encoder
from loci_embedder.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    uvloop_runner = uvicorn.Config("", loop="uvloop").get_loop_factory()
    with asyncio.Runner(loop_factory=uvloop_runner) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with Batcher(Encoder.load(settings.threads), settings.max_waiting) as batcher:
        structlog.get_logger().info("serving", host=settings.host, port=settings.port, model=MODEL_NAME)
        config = uvicorn.Config(
            create_app(batcher),
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            server_header=False,
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    main()
