"""Base class of process settings; each field is read from the environment variable `LOCI_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from loci_contract.environment import PREFIX

LogLevel = Literal["debug", "info", "warning", "error"]


class ProcessSettings(BaseSettings):
    """Settings of a process. Empty variables count as unset; error messages never contain values."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True)

    log_level: LogLevel = Field("info", description="Minimum log level.")
    otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="Where spans are exported to over OTLP/HTTP, such as http://collector:4318; no tracing when unset.",
    )
    log_level_file: Path | None = Field(
        None, description="File with the minimum log level, followed while the process runs; overrides log_level."
    )
