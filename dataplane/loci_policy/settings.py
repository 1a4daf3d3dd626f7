"""The settings of the policy process; every field is an environment variable `LOCI_<NAME>`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from loci_contract.names import SYSTEM_NAMESPACE
from loci_contract.registry import Sha256
from loci_runtime.settings import ProcessSettings

_ORIGIN: Final = re.compile(r"\*|https?://[^/,\s*]+")


def _origins(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def _are_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("must be origins such as https://app.example.com, without a path, separated by commas; or *")
    return origins


CorsOrigins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins), AfterValidator(_are_origins)]
"""Origins of web pages, from a comma-separated string."""


class Settings(ProcessSettings):
    """Settings of the policy process."""

    policy_socket: Path = Field(Path("/run/loci/policy.sock"), description="Unix socket that Envoy asks.")
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace of the registry Secrets.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="How to reach Kubernetes; the pod's own account when unset."
    )
    registry_folder: Path | None = Field(
        None, description="Take the registry from `<tenant>.json` files of this folder instead of Kubernetes."
    )
    redis_url: str | None = Field(
        None, description="Redis with the shared token buckets; without it each process keeps its own.", repr=False
    )
    redis_timeout_seconds: float = Field(
        0.05,
        gt=0,
        description="The longest that Redis may take, seconds; a request may wait twice as long, behind another.",
    )
    redis_fallback: Literal["local", "deny"] = Field(
        "local", description="While Redis is down: `local` admits each process's share of a limit, `deny` nobody."
    )
    leases: bool = Field(True, description="Lease tokens to Envoy, so that most requests need no call.")
    replicas: int = Field(1, gt=0, description="Policy processes there are: a local bucket holds a limit's share.")
    cors_origins: CorsOrigins = Field(
        (), description="Origins whose web pages may call the API, comma-separated; `*` for all. None by default."
    )
    admin_key_sha256: Sha256 | None = Field(
        None, description="SHA-256 of the admin key, hexadecimal; without it nobody may read /metrics.", repr=False
    )


class DrainSettings(ProcessSettings):
    """Settings of `loci drain`."""

    envoy_admin_port: int = Field(9901, ge=1, le=65535, description="Port of Envoy's admin interface on loopback.")
    drain_seconds: float = Field(35, gt=0, description="Maximum time to wait for active requests, seconds.")
    drain_min_seconds: float = Field(
        5, ge=0, description="Minimum time to keep accepting connections, for load balancers to notice, seconds."
    )
