"""What the data plane can be told from outside; every field is an environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loci_contract.names import DATAPLANE_PORT
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of a tenant's data plane."""

    tenant: str = Field(description="The tenant's name.")
    data_dir: Path = Field(description="Folder of the embedded stores.")
    ingress_token_file: Path = Field(description="File with the token that every request must carry.")
    limits_file: Path = Field(description="JSON file with the tenant's limits; read again when it changes.")
    embedder_url: str = Field(description="Base address of the embedder.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(DATAPLANE_PORT, ge=1, le=65535, description="Port to listen on.")
