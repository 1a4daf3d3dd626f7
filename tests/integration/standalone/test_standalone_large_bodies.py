"""A refusal by `loci serve` reaches clients that are still sending a large body; gzip bodies are read and bounded."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_dev.rigs.large_bodies import CLIENTS
from loci_dev.rigs.standalone import ADMIN_KEY, Served


@pytest.mark.parametrize("client_name", CLIENTS)
def test_every_client_reads_the_refusal(served: Served, client_name: str) -> None:
    key, admin = ({"authorization": f"Bearer {key}"} for key in (served.key("acme"), ADMIN_KEY))
    for path, headers, status in (
        ("/v1/memories", key, 413),
        ("/v1/memories", {}, 401),
        ("/v1/usage", key, 405),
        ("/v9/memories", key, 404),
        ("/livez", {}, 405),
        ("/admin/tenants", admin, 413),
        ("/admin/tenants", key, 401),
        ("/admin/tenants/acme", admin, 405),
    ):
        assert CLIENTS[client_name](httpx.URL(served.url + path), headers, 8 * 2**20) == status, path


def compressed(body: object) -> bytes:
    return gzip.compress(json.dumps(body).encode())


def test_gzip_bodies_are_read(acme: httpx.Client) -> None:
    headers = {"content-encoding": "gzip"}
    stored = acme.post("/v1/memories", content=compressed({"content": "squeezed"}), headers=headers)
    assert (stored.status_code, stored.json()["content"]) == (201, "squeezed")


@pytest.mark.parametrize("size", [600_000, 200_000_000])
def test_a_body_that_expands_beyond_the_bound_is_413(acme: httpx.Client, size: int) -> None:
    bomb = gzip.compress(b" " * size)
    assert len(bomb) < 300_000
    response = acme.post("/v1/memories", content=bomb, headers={"content-encoding": "gzip"})
    assert response.status_code == 413
    assert ErrorBody.model_validate_json(response.content).error == "payload_too_large"
    assert acme.get("/v1/usage").status_code == 200
