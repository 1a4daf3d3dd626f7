"""What `loci serve` takes from the environment besides its options."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from loci_contract.environment import PREFIX


class Settings(BaseSettings):
    """Settings of the standalone process; every field is an environment variable `LOCI_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True)

    admin_key: SecretStr | None = Field(None, min_length=16, description="The admin key; made and shown when unset.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
