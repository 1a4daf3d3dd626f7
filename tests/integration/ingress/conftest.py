"""A whole ingress for these tests: real Envoy, real Redis, the policy process, and an echo server as every pod."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs import redis
from loci_dev.rigs.echo import echo
from loci_dev.rigs.ingress import Ingress, ingress
from loci_dev.rigs.processes import wait_until


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ingress")


@pytest.fixture(scope="session")
def pod(folder: Path) -> Iterator[str]:
    with echo(folder) as address:
        yield address


@pytest.fixture(scope="session")
def redis_server(folder: Path) -> Iterator[redis.Redis]:
    with redis.redis(folder) as server:
        yield server


@pytest.fixture(scope="session")
def the_ingress(folder: Path, redis_server: redis.Redis) -> Iterator[Ingress]:
    with ingress(folder, {"LOCI_REDIS_URL": redis_server.url}) as running:
        wait_until(lambda: httpx.get(f"{running.url}/readyz").is_success, "the ingress is ready")
        yield running


@pytest.fixture
def client(the_ingress: Ingress) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=the_ingress.url) as connection:
        yield connection
