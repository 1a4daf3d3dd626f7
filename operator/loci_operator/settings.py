"""Settings of the operator; every field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loci_contract.names import SYSTEM_NAMESPACE
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the operator."""

    image: str = Field(description="Container image of tenant pods.")
    embedder_url: str = Field(description="Base URL of the embedder, reachable from tenant pods.")
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace that Loci is installed in.")
    prometheus_namespace: str = Field("monitoring", description="Namespace that is allowed to scrape tenant pods.")
    storage_class_name: str | None = Field(None, description="StorageClass of tenants that do not set one.")
    cluster_domain: str = Field("cluster.local", description="DNS domain of the cluster.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="Path of the kubeconfig. Unset: the pod's ServiceAccount."
    )
    workers: int = Field(8, gt=0, description="Number of tenants reconciled concurrently.")
    resync_seconds: float = Field(600, gt=0, description="Interval of the full resync, seconds, with jitter.")
    health_port: int = Field(8080, ge=0, le=65535, description="Port of the liveness endpoint.")
