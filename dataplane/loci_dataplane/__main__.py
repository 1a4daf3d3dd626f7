"""`loci dataplane`: a tenant's service as a process."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import structlog
from prometheus_client import CollectorRegistry

from loci_dataplane.app import Deps, create_app, running
from loci_dataplane.files import limits_file, token_file
from loci_dataplane.metrics import Families
from loci_dataplane.settings import Settings
from loci_dataplane.stores.chroma.server import ChromaServer
from loci_dataplane.stores.embedding import EmbeddingModel
from loci_dataplane.stores.http_embedder import HttpEmbedder, RemoteModel
from loci_dataplane.stores.opening import Neo4jServer, Places, open_stores
from loci_dataplane.stores.redis.opening import RedisServer
from loci_runtime.serving import run, serve
from loci_runtime.tracing import exporting

_EMBEDDER_TIMEOUT = 10.0


def main() -> None:
    """Serve until a signal stops the process."""
    settings = Settings()
    run(_serve(settings), settings, exporting("loci-dataplane", settings.otlp_endpoint))


async def _serve(settings: Settings) -> None:
    registry = CollectorRegistry()
    async with httpx.AsyncClient(base_url=settings.embedder_url, timeout=_EMBEDDER_TIMEOUT) as client:
        deps = Deps(
            tenant=settings.tenant,
            ingress_token=token_file(settings.ingress_token_file),
            limits=limits_file(settings.limits_file),
            open_stores=lambda: open_stores(places(settings)),
            embedder=HttpEmbedder(client, remote=_remote_model(settings)),
            registry=registry,
            families=Families(registry),
        )
        app = create_app(deps)
        async with running(app):
            structlog.get_logger().info("serving", tenant_id=settings.tenant, host=settings.host, port=settings.port)
            await serve(app, host=settings.host, port=settings.port)


def _remote_model(settings: Settings) -> RemoteModel | None:
    if not settings.embedder_model:
        return None
    model = EmbeddingModel(settings.embedder_model, settings.embedder_cosine_centre, settings.embedder_cosine_width)
    key = _secret(settings.embedder_key_file) if settings.embedder_key_file else None
    return RemoteModel(model, settings.embedder_query_prefix, settings.embedder_passage_prefix, key)


def places(settings: Settings) -> Places:
    """Return the stores' places; credentials are read again each time the stores are opened."""
    postgres, collection = settings.postgres_dsn_file, _collection(settings)
    token, password, redis = settings.chroma_token_file, settings.neo4j_password_file, settings.redis_url_file
    return Places(
        tenant=settings.tenant,
        folder=settings.data_dir,
        postgres=(lambda: _secret(postgres)) if postgres else None,
        chroma=ChromaServer(settings.chroma_url, collection, _secret(token) if token else None) if collection else None,
        neo4j=Neo4jServer(settings.neo4j_url, settings.neo4j_user, _secret(password)) if password else None,
        redis=RedisServer(lambda: _secret(redis), settings.redis_cluster) if redis else None,
    )


def _collection(settings: Settings) -> UUID | None:
    file = settings.chroma_collection_file
    return settings.chroma_collection if file is None else UUID(_secret(file))


def _secret(path: Path) -> str:
    return path.read_text().strip()


if __name__ == "__main__":
    main()
