"""What the operator can be told from outside; every field is an environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loci_contract.names import SYSTEM_NAMESPACE
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the operator."""

    image: str = Field(description="Image of the tenants' pods.")
    embedder_url: str = Field(description="Base address of the embedder, as pods reach it.")
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace of Loci itself.")
    prometheus_namespace: str = Field("monitoring", description="Namespace that may scrape tenants' pods.")
    storage_class_name: str | None = Field(None, description="StorageClass where a tenant names none.")
    cluster_domain: str = Field("cluster.local", description="The cluster's DNS domain.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="How to reach Kubernetes; the pod's own account when unset."
    )
    workers: int = Field(8, gt=0, description="Tenants reconciled at once.")
    resync_seconds: float = Field(600, gt=0, description="Every tenant is looked at again this often, with jitter.")
    health_port: int = Field(8080, ge=0, le=65535, description="Port of the liveness endpoint.")
