"""Settings that `loci serve` reads from the environment besides its command-line options."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from loci_embedder.loading import DEFAULT_MODEL
from loci_policy.settings import CorsOrigins
from loci_runtime.settings import ProcessSettings


def _fits_a_header(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{16,}", key.get_secret_value()):
        raise ValueError("must be at least 16 printable ASCII characters without spaces")
    return key


class Settings(ProcessSettings):
    """Settings of `loci serve`; every field is read from the environment variable `LOCI_<NAME>`."""

    cors_origins: CorsOrigins = Field(
        (), description="Web origins allowed to call the API (CORS), comma-separated; `*` allows all. None by default."
    )
    model: str = Field(
        DEFAULT_MODEL, description="Embedding model: the name of an included one, or the path of a model folder."
    )
    admin_key: Annotated[SecretStr, AfterValidator(_fits_a_header)] | None = Field(
        None, description="Admin key. Unset: generated and printed at startup."
    )
