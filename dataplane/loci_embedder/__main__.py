"""`loci embedder`: composition root of the embedder process."""

from __future__ import annotations

import sys

import structlog

from loci_embedder.app import create_app
from loci_embedder.files import Places
from loci_embedder.manifest import ModelError
from loci_embedder.serving import serving
from loci_embedder.settings import Settings
from loci_runtime.serving import run, serve
from loci_runtime.tracing import Traced, exporting


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings()
    try:
        run(_serve(settings), settings, exporting("loci-embedder", settings.otlp_endpoint))
    except ModelError as error:
        sys.exit(f"loci embedder: {error}")


async def _serve(settings: Settings) -> None:
    places = Places(settings.model_hub_url, settings.model_cache)
    async with serving(settings.models, places, threads=settings.threads, max_waiting=settings.max_waiting) as models:
        structlog.get_logger().info(
            "serving", host=settings.host, port=settings.port, models=[model.manifest.name for model in models.served()]
        )
        await serve(Traced(create_app(models), "embed", response="none"), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
