"""An ingress pod that stops: requests under way are finished, and connections are told to go elsewhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.ingress import Ingress, Tenant, ingress, known
from loci_dev.rigs.processes import wait_until


@pytest.fixture
def stopping(tmp_path: Path) -> Iterator[Ingress]:
    with ingress(tmp_path, {}) as running:
        yield running


@pytest.fixture
def acme(stopping: Ingress, pod: str) -> Iterator[Tenant]:
    with known(stopping, "acme", pod) as tenant, httpx.Client(base_url=stopping.url) as client:
        tenant.until(client, 200)
        yield tenant


@pytest.fixture
def drain(stopping: Ingress) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(seconds: float = 60) -> subprocess.Popen[bytes]:
        settings = {
            "LOCI_ENVOY_ADMIN_PORT": str(stopping.envoy.admin_port),
            "LOCI_DRAIN_SECONDS": str(seconds),
            "LOCI_DRAIN_MIN_SECONDS": "0",
        }
        command = [sys.executable, "-m", "loci_policy.drain"]
        started.append(subprocess.Popen(command, env={**os.environ, **settings}))
        wait_until(lambda: is_draining(stopping), "Envoy drains")
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def is_draining(stopping: Ingress) -> bool:
    try:
        return bool(httpx.get(f"{stopping.url}/readyz").headers.get("connection") == "close")
    except httpx.TransportError:  # it is over already
        return True


def upload(stopping: Ingress, acme: Tenant, size: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stopping.envoy.port), timeout=30)
    headers = f"host: loci\r\nauthorization: Bearer {acme.key}\r\ncontent-length: {size}"
    connection.sendall(f"POST /v1/memories HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    active = f"http://127.0.0.1:{stopping.envoy.admin_port}/stats?filter=^http.ingress.downstream_rq_active$"
    wait_until(lambda: httpx.get(active).text.strip().endswith(": 1"), "the upload has begun")
    return connection


def test_an_upload_under_way_is_finished_and_its_connection_closed(
    stopping: Ingress, acme: Tenant, drain: Callable[[], subprocess.Popen[bytes]]
) -> None:
    with upload(stopping, acme, 10) as connection:
        hook = drain()
        connection.sendall(b"x" * 10)
        response = connection.makefile("rb").read().lower()  # to the end: Envoy closes the connection
    assert response.startswith(b"http/1.1 200")
    assert b"connection: close" in response
    assert hook.wait(30) == 0
    assert stopping.envoy.process.wait(30) == 0


def test_a_connection_that_comes_while_it_drains_is_served(
    stopping: Ingress, acme: Tenant, drain: Callable[[], subprocess.Popen[bytes]]
) -> None:
    with upload(stopping, acme, 10), httpx.Client(base_url=stopping.url) as client:
        drain()
        response = client.get("/v1/memories", headers=acme.bearer)
        assert (response.status_code, response.headers["connection"]) == (200, "close")


def test_a_request_that_never_ends_does_not_hold_the_pod(
    stopping: Ingress, acme: Tenant, drain: Callable[[float], subprocess.Popen[bytes]]
) -> None:
    with upload(stopping, acme, 10):
        assert drain(1).wait(30) == 0
        assert stopping.envoy.process.wait(30) == 0
