"""`loci serve` on a full volume: keys stay known, tenants come back without a restart, nothing is a 500."""

from __future__ import annotations

from pathlib import Path

import httpx

from loci_dev.rigs.full_disk import filled, small_volume
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.standalone import ADMIN_KEY, serve


def test_a_restart_on_a_full_volume_keeps_every_key_known(tmp_path: Path) -> None:
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    with small_volume(tmp_path / "data") as volume:
        with serve(tmp_path) as served, httpx.Client(base_url=served.url, headers=admin, timeout=30) as client:
            key = client.post("/admin/tenants", json={"name": "acme", "tier": "pro"}).json()["api_key"]
            with served.client(key) as acme:
                kept = acme.post("/v1/memories", json={"content": "an otter"}).json()["id"]
        with filled(volume), serve(tmp_path) as served, served.client(key) as acme:
            assert "tenant acme is not serving" in served.log.read_text()
            refused = acme.get(f"/v1/memories/{kept}")
            assert (refused.status_code, refused.json()["error"]) == (503, "service_unavailable")
            assert "not serving" in refused.json()["message"]
            with httpx.Client(base_url=served.url, headers=admin, timeout=30) as client:
                created = client.post("/admin/tenants", json={"name": "other", "tier": "pro"})
                assert (created.status_code, created.json()["error"]) == (507, "storage_full")
                assert created.headers["retry-after"] == "30"
                assert client.get("/metrics").status_code == 200
            (volume / "ballast").write_bytes(b"")
            wait_until(lambda: acme.get(f"/v1/memories/{kept}").status_code == 200, "the tenant serves")
            assert acme.post("/v1/memories", json={"content": "a heron"}).status_code == 201
