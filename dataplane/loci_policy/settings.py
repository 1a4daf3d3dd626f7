"""Settings of the policy process; every field is read from the environment variable `LOCI_<NAME>`."""

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
"""Web origins, parsed from a comma-separated string."""


class Settings(ProcessSettings):
    """Settings of the policy process."""

    policy_socket: Path = Field(
        Path("/run/loci/policy.sock"), description="Path of the Unix socket that Envoy connects to."
    )
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace of the registry Secrets.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="Path of the kubeconfig. Unset: the pod's ServiceAccount."
    )
    registry_folder: Path | None = Field(
        None, description="Folder of `<tenant>.json` registry records to use instead of Kubernetes."
    )
    redis_url: str | None = Field(
        None,
        description="URL of the Redis server with the shared token buckets. Unset: local buckets per process.",
        repr=False,
    )
    redis_timeout_seconds: float = Field(
        0.05,
        gt=0,
        description="Timeout of a Redis call, seconds. A request queued behind another call may wait twice as long.",
    )
    redis_fallback: Literal["local", "deny"] = Field(
        "local",
        description="While Redis is unavailable: `local` enforces this process's share of a limit, `deny` denies all.",
    )
    leases: bool = Field(True, description="Lease tokens to Envoy, so that most requests need no call to the policy.")
    standby: bool = Field(
        True, description="Keep a second process ready, which takes over when the one that serves ends or hangs."
    )
    replicas: int = Field(
        1, gt=0, description="Number of policy processes; a local bucket gets an equal share of a limit."
    )
    cors_origins: CorsOrigins = Field(
        (), description="Web origins allowed to call the API (CORS), comma-separated; `*` allows all. None by default."
    )
    admin_key_sha256: Sha256 | None = Field(
        None, description="Hexadecimal SHA-256 of the admin key. Unset: /metrics is not accessible.", repr=False
    )


class ChromaGateSettings(ProcessSettings):
    """Settings of `loci chroma-gate`."""

    gate_socket: Path = Field(Path("/run/loci/chroma-gate.sock"), description="Unix socket that Envoy asks.")
    system_namespace: str = Field(SYSTEM_NAMESPACE, description="Namespace of the collections' Secrets.")
    kubeconfig: Path | None = Field(
        None, validation_alias="KUBECONFIG", description="How to reach Kubernetes; the pod's own account when unset."
    )
    collections_folder: Path | None = Field(
        None, description="Take the collections from `<tenant>.json` files of this folder instead of Kubernetes."
    )
    provisioner_sha256: Sha256 | None = Field(
        None, description="SHA-256 of the operator's token, hexadecimal; without it no one can create collections."
    )


class DrainSettings(ProcessSettings):
    """Settings of `loci drain`."""

    envoy_admin_port: int = Field(9901, ge=1, le=65535, description="Port of Envoy's admin interface on loopback.")
    drain_seconds: float = Field(35, gt=0, description="Maximum time to wait for active requests, seconds.")
    drain_min_seconds: float = Field(
        5, ge=0, description="Minimum time to keep accepting connections, for load balancers to notice, seconds."
    )
