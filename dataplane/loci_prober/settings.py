"""Settings of the isolation prober; every field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pydantic import Field, SecretStr

from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the prober."""

    ingress_url: str = Field(description="Base URL of the ingress.")
    admin_key: SecretStr = Field(description="Admin key, to create the two tenants and their keys.")
    tier: str = Field("free", description="Tier of the two tenants.")
    interval_seconds: float = Field(60, gt=0, description="Time from one round to the next, seconds.")
    pod_address: str = Field(
        "", description="host:port of a tenant's pod, with `{tenant}` for its name. Unset: pods are not tried."
    )
    chroma_address: str = Field("", description="host:port of a shared Chroma server or its gate. Unset: not tried.")
    postgres_address: str = Field("", description="host:port of the shared PostgreSQL. Unset: not tried.")
    redis_address: str = Field("", description="host:port of the Redis of the token buckets. Unset: not tried.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8083, ge=1, le=65535, description="Port of /livez and /metrics.")
