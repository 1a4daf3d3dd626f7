"""Settings of the admin API; every field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loci_contract.names import ADMIN_PORT
from loci_contract.registry import Sha256
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the admin API."""

    admin_key_sha256: Sha256 = Field(description="Hexadecimal SHA-256 of the admin key.", repr=False)
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(ADMIN_PORT, ge=1, le=65535, description="Port to listen on.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="Path of the kubeconfig. Unset: the pod's ServiceAccount."
    )
