"""Settings of the data plane; every field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from loci_contract.names import DATAPLANE_PORT
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of a tenant's data plane."""

    tenant: str = Field(description="Name of the tenant.")
    data_dir: Path = Field(description="Folder of the embedded stores.")
    postgres_dsn_file: Path | None = Field(
        None,
        description="File with the PostgreSQL connection string, `postgresql://user:password@host/database`; "
        "read for each connection. Unset: records are in `data_dir`.",
    )
    chroma_url: str = Field(
        "", description="Base URL of the Chroma server or gate for vectors. Unset: vectors are in `data_dir`."
    )
    chroma_collection: UUID | None = Field(None, description="Id of the tenant's collection on the Chroma server.")
    chroma_collection_file: Path | None = Field(None, description="File with that id, in place of chroma_collection.")
    chroma_token_file: Path | None = Field(None, description="File with the bearer token for the Chroma server's gate.")
    neo4j_url: str = Field(
        "", description="`bolt://` URL of the Neo4j server for the graph. Unset: the graph is beside the records."
    )
    neo4j_user: str = Field("neo4j", description="User of the Neo4j server.")
    neo4j_password_file: Path | None = Field(None, description="File with the Neo4j user's password.")
    redis_url_file: Path | None = Field(
        None,
        description="File with the address of the Redis server for cached search results, "
        "`redis://user:password@host:port/0` (`rediss://` for TLS); read for each connection. Unset: each "
        "pod caches in its own memory.",
    )
    redis_cluster: bool = Field(default=False, description="Whether the Redis server is a node of a Redis Cluster.")
    ingress_token_file: Path = Field(description="File with the ingress token that every request must contain.")
    limits_file: Path = Field(description="JSON file with the tenant's limits; reloaded when it changes.")
    embedder_url: str = Field(description="Base address of the embedder, without `/v1`.")
    embedder_model: str = Field(
        "", description="Model of an embedder that is another OpenAI-compatible service. Unset: Loci's embedder."
    )
    embedder_query_prefix: str = Field("", description="With `embedder_model`: text that it wants before a query.")
    embedder_passage_prefix: str = Field("", description="With `embedder_model`: text that it wants before a memory.")
    embedder_cosine_centre: float = Field(
        0.43, gt=-1, lt=1, description="With `embedder_model`: cosine that is as likely relevant as not."
    )
    embedder_cosine_width: float = Field(
        0.11,
        gt=0,
        lt=1,
        description="With `embedder_model`: increase of a cosine that raises evidence from 0.5 to 0.73.",
    )
    embedder_key_file: Path | None = Field(None, description="With `embedder_model`: file with the service's API key.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(DATAPLANE_PORT, ge=1, le=65535, description="Port to listen on.")

    @model_validator(mode="after")
    def _servers_are_complete(self) -> Self:
        named = [bool(self.chroma_collection), bool(self.chroma_collection_file)]
        if sum(named) != bool(self.chroma_url):
            raise ValueError("LOCI_CHROMA_URL goes with one of LOCI_CHROMA_COLLECTION and LOCI_CHROMA_COLLECTION_FILE")
        if bool(self.neo4j_url) != (self.neo4j_password_file is not None):
            raise ValueError("LOCI_NEO4J_URL and LOCI_NEO4J_PASSWORD_FILE go together")
        return self
