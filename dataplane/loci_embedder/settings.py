"""Settings of the embedder, read from environment variables `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from loci_contract.names import EMBEDDER_PORT
from loci_embedder.loading import DEFAULT_MODEL
from loci_runtime.settings import ProcessSettings


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Settings(ProcessSettings):
    """Settings of the embedder process."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(EMBEDDER_PORT, ge=1, le=65535, description="Port to listen on.")
    threads: int = Field(1, gt=0, description="CPU threads of one forward pass.")
    max_waiting: int = Field(
        1_024, gt=0, description="Maximum number of texts waiting for a model; beyond it requests get 429."
    )
    models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (DEFAULT_MODEL,),
        min_length=1,
        description="Models to serve, comma-separated: names of included ones, or paths of model folders. The first "
        "is the default. Two of them while tenants change from one to the other.",
    )
    model_hub_url: str = Field(
        "", description="Base URL of the hub from which files of model folders are downloaded. Unset: no downloads."
    )
    model_cache: Path | None = Field(None, description="Folder of downloaded model files.")
