"""Settings of the embedder, read from environment variables `LOCI_<NAME>`."""

from __future__ import annotations

from pydantic import Field

from loci_contract.names import EMBEDDER_PORT
from loci_runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of the embedder process."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(EMBEDDER_PORT, ge=1, le=65535, description="Port to listen on.")
    threads: int = Field(1, gt=0, description="CPU threads of one forward pass.")
    max_waiting: int = Field(1_024, gt=0, description="Maximum number of waiting texts; beyond it requests get 429.")
