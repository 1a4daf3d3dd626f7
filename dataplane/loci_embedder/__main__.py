"""`loci embedder`: composition root of the embedder process."""

from __future__ import annotations

import structlog

from loci_embedder.app import create_app
from loci_embedder.batching import Batcher
from loci_embedder.encoder import MODEL_NAME, Encoder
from loci_embedder.settings import Settings
from loci_runtime.serving import run, serve
from loci_runtime.tracing import Traced, exporting


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings()
    run(_serve(settings), settings, exporting("loci-embedder", settings.otlp_endpoint))


async def _serve(settings: Settings) -> None:
    async with Batcher(Encoder.load(settings.threads), settings.max_waiting) as batcher:
        structlog.get_logger().info("serving", host=settings.host, port=settings.port, model=MODEL_NAME)
        await serve(Traced(create_app(batcher), "embed", response="none"), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
