"""Tenants' caches in the shared Redis, which runs as the chart starts it, on a real API server."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from loci_dev import chart
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import free_port, running, wait_until
from loci_dev.tools.catalog import tool

SHARED = {"cache": "shared"}
ADMIN = "password-of-the-administrator"


@dataclass
class Cache:
    """Redis, started by the chart's script; it can be taken away and brought back."""

    folder: Path
    port: int = field(default_factory=free_port)
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> None:
        """Start it on the same users."""
        (self.folder / "password").write_text(ADMIN)
        script = (chart.CHART / "files" / "cache.sh").read_text().replace("--protected-mode no", "--bind 127.0.0.1")
        script = script.replace("/data", str(self.folder)).replace("/etc/loci", str(self.folder))
        script = script.replace("6379", str(self.port)).replace("exec redis-server", f"exec {tool('redis-server')}")
        environment = {"MAX_MEMORY": "16mb"}
        process = running(["sh", "-c", script], self.folder / "redis.log", ready=self._listens, environment=environment)
        self.running.enter_context(process)

    def stop(self) -> None:
        """Stop it."""
        self.running.close()

    def client(self, url: str = "") -> redis.Redis:
        """A client of the administrator, or with a tenant's address."""
        return redis.Redis.from_url(url or f"redis://loci:{ADMIN}@127.0.0.1:{self.port}/0", decode_responses=True)

    def users(self) -> list[str]:
        with self.client() as admin:
            return [str(user) for user in admin.acl_users()]

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.5):
            return True
        return False


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    made = Cache(tmp_path_factory.mktemp("cache"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def operator(start_operator: Any, cache: Cache) -> Iterator[Path]:
    settings = {
        "LOCI_REDIS_ADMIN_URL": f"redis://loci:{ADMIN}@127.0.0.1:{cache.port}/0",
        "LOCI_REDIS_EGRESS": json.dumps([{"ports": [{"port": cache.port, "protocol": "TCP"}]}]),
    }
    with start_operator(**settings) as log:
        yield log


def address(tenants: Tenants, name: str) -> str:
    tenants.settled(name)
    data = tenants.get("secret", "loci-stores", "-n", f"loci-{name}")["data"]
    return base64.b64decode(data["redis-url"]).decode()


@pytest.mark.invariant(1)
def test_a_tenants_credentials_open_its_own_keys_also_after_a_restart_and_no_others(
    tenants: Tenants, operator: Path, cache: Cache
) -> None:
    for name in ("cached-one", "cached-two"):
        tenants.apply(name, storage=SHARED)
    one, two = (address(tenants, name) for name in ("cached-one", "cached-two"))
    policy = tenants.get("networkpolicy", "loci-dataplane", "-n", "loci-cached-one")["spec"]["egress"]
    assert cache.port in {port["port"] for rule in policy for port in rule["ports"]}
    cache.stop()
    cache.start()
    with cache.client(one) as client:
        client.hset("t:{cached-one}:results", "field", "value")
        assert client.hget("t:{cached-one}:results", "field") == "value"
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.hget("t:{cached-two}:results", "field")
    with redis.Redis(port=cache.port) as nobody, pytest.raises(redis.exceptions.AuthenticationError):
        nobody.ping()
    told = operator.read_text() + str(tenants.status("cached-one"))
    assert all(secret not in told for secret in (one, two, ADMIN))


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_a_deleted_tenants_user_and_results_go_whatever_its_policy(tenants: Tenants, cache: Cache, policy: str) -> None:
    name = f"uncached-{policy.lower()}"
    tenants.apply(name, storage=SHARED, deletionPolicy=policy)
    with cache.client(address(tenants, name)) as client:
        client.hset(f"t:{{{name}}}:results", "field", "value")
    tenants.plane.kubectl("delete", "mt", name, "--timeout=60s")
    assert f"tenant-{name}" not in cache.users()
    with cache.client() as admin:
        assert admin.keys(f"t:{{{name}}}:*") == []


@pytest.mark.usefixtures("operator")
def test_a_tenant_is_made_while_the_cache_is_away_and_uses_it_once_it_is_back(tenants: Tenants, cache: Cache) -> None:
    cache.stop()
    try:
        tenants.apply("meanwhile", storage=SHARED)
        wait_until(lambda: tenants.condition("meanwhile", "StoresReady").get("reason") == "StoreAway", "it says so")
        assert "Redis is unavailable" in tenants.condition("meanwhile", "StoresReady")["message"]
        assert tenants.record("meanwhile")["state"] == "active"
        assert tenants.condition("meanwhile", "Ready").get("reason") != "StoreAway"
    finally:
        cache.start()
    wait_until(lambda: tenants.condition("meanwhile", "StoresReady").get("status") == "True", "it is provisioned", 90)
    with cache.client(address(tenants, "meanwhile")) as client:
        assert client.hget("t:{meanwhile}:results", "field") is None
