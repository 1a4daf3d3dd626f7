"""Settings of the operator; every field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from loci_contract.names import SYSTEM_NAMESPACE
from loci_operator.specs.stores import DedicatedStores
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the operator."""

    image: str = Field(description="Container image of tenant pods.")
    embedder_url: str = Field(description="Base URL of the embedder, reachable from tenant pods.")
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace that Loci is installed in.")
    prometheus_namespace: str = Field("monitoring", description="Namespace that is allowed to scrape tenant pods.")
    storage_class_name: str | None = Field(None, description="StorageClass of tenants that do not set one.")
    identity: str = Field("", description="Name of this operator among its replicas; made from the host name if empty.")
    cluster_domain: str = Field("cluster.local", description="DNS domain of the cluster.")
    postgres_admin_dsn: str | None = Field(
        None,
        repr=False,
        description="Address of the shared PostgreSQL database with a superuser, past any pooler; it makes shared "
        "records available.",
    )
    postgres_address: str = Field(
        "",
        description="The database's address as pods reach it, without user; the one of `postgres_admin_dsn` if empty.",
    )
    chroma_url: str = Field(
        "", description="Base address of the gate before the shared Chroma server; it makes shared vectors available."
    )
    chroma_provisioner_token: str | None = Field(None, repr=False, description="The operator's token at that gate.")
    redis_admin_url: str | None = Field(
        None,
        repr=False,
        pattern="^rediss?://",
        description="Address of the shared Redis of caches with a user that may run ACL, CLUSTER, SCAN and UNLINK; it "
        "makes shared caches available.",
    )
    redis_address: str = Field(
        "",
        pattern="^(rediss?://.*)?$",
        description="The server's address as pods reach it, without user; the one of `redis_admin_url` if empty.",
    )
    redis_cluster: bool = Field(default=False, description="Whether it is a node of a Redis Cluster.")
    redis_egress: tuple[dict[str, Any], ...] = Field(
        (), description="Network policy rules, JSON, that let tenants' pods reach the shared Redis."
    )
    postgres_egress: tuple[dict[str, Any], ...] = Field(
        (), description="Network policy rules, JSON, that let tenants' pods reach the shared PostgreSQL."
    )
    chroma_egress: tuple[dict[str, Any], ...] = Field(
        (), description="Network policy rules, JSON, that let tenants' pods reach the gate before the shared Chroma."
    )
    dedicated: DedicatedStores | None = Field(
        None, description="Images and resources of tenants' own stores, JSON; it makes the dedicated profile available."
    )
    otlp_egress: tuple[dict[str, Any], ...] = Field(
        (), description="Network policy rules, JSON, that let tenants' pods reach the collector of `otlp_endpoint`."
    )
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="Path of the kubeconfig. Unset: the pod's ServiceAccount."
    )
    workers: int = Field(8, gt=0, description="Number of tenants reconciled concurrently.")
    rollout_at_once: str = Field(
        "5%",
        pattern=r"^[0-9]{1,6}%?$",
        description="Tenants whose pods are restarted at once by a change of the platform: a number, or a share.",
    )
    rollout_deadline_seconds: float = Field(
        300, gt=0, description="A pod that is not ready this long after its update stops the rollout."
    )
    resync_seconds: float = Field(600, gt=0, description="Interval of the full resync, seconds, with jitter.")
    health_port: int = Field(8080, ge=0, le=65535, description="Port of /healthz, /livez and /metrics.")

    @model_validator(mode="after")
    def _stores_are_complete(self) -> Self:
        if bool(self.chroma_url) != bool(self.chroma_provisioner_token):
            raise ValueError("LOCI_CHROMA_URL and LOCI_CHROMA_PROVISIONER_TOKEN go together")
        return self
