"""What `loci serve` takes from the environment besides its options."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from loci_contract.environment import PREFIX


def _fits_a_header(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{16,}", key.get_secret_value()):
        raise ValueError("must be 16 or more printable ASCII characters, none of them a space")
    return key


class Settings(BaseSettings):
    """Settings of the standalone process; every field is an environment variable `LOCI_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True)

    admin_key: Annotated[SecretStr, AfterValidator(_fits_a_header)] | None = Field(
        None, description="The admin key; made and shown when unset."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
