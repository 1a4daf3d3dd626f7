"""The settings that `loci serve` takes from the environment besides its options."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from loci_policy.settings import CorsOrigins
from loci_runtime.settings import ProcessSettings


def _fits_a_header(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{16,}", key.get_secret_value()):
        raise ValueError("must be 16 or more printable ASCII characters, none of them a space")
    return key


class Settings(ProcessSettings):
    """Settings of the standalone process; every field is an environment variable `LOCI_<NAME>`."""

    cors_origins: CorsOrigins = Field(
        (), description="Origins whose web pages may call the API, comma-separated; `*` for all. None by default."
    )
    admin_key: Annotated[SecretStr, AfterValidator(_fits_a_header)] | None = Field(
        None, description="The admin key; made and shown when unset."
    )
