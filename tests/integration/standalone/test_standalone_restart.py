"""What is there after a restart, a crash, a deletion and a tenant's return."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from loci_dev.processes import wait_until
from loci_dev.standalone import ADMIN_KEY, Served, declare, serve


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    folder = tmp_path / "declared"
    folder.mkdir()
    return folder


def remember(served: Served, key: str, content: str = "a memory") -> str:
    with served.client(key) as client:
        return str(client.post("/v1/memories", json={"content": content}).json()["id"])


def status(served: Served, key: str, memory: str) -> int:
    with served.client(key) as client:
        return client.get(f"/v1/memories/{memory}").status_code


def test_a_crash_loses_nothing(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme")
    with serve(tmp_path, declared) as served:
        key = served.key("acme")
        memory = remember(served, key)
        served.process.kill()
        served.process.wait()
    with serve(tmp_path, declared) as served:
        assert served.key("acme") == key
        assert status(served, key, memory) == 200
        with served.client(key) as client:
            hits = client.post("/v1/memories/search", json={"query": "memory"}).json()["results"]
        assert [hit["id"] for hit in hits] == [memory]


def test_ends_in_order_when_told_to(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        served.process.terminate()
        assert served.process.wait(20) == 0
        assert "Traceback" not in served.log.read_text()


def test_files_come_and_change_and_go(tmp_path: Path, declared: Path) -> None:
    with serve(tmp_path, declared) as served:
        declare(declared, "acme")
        wait_until(lambda: "made the key 'default' of tenant acme" in served.log.read_text(), "acme is taken up")
        key = served.key("acme")
        memory = remember(served, key)
        declare(declared, "acme", suspend=True)
        wait_until(lambda: status(served, key, memory) == 403, "acme is suspended")
        declare(declared, "acme")
        wait_until(lambda: status(served, key, memory) == 200, "acme is back")
        (declared / "acme.yaml").unlink()
        wait_until(lambda: status(served, key, memory) == 401, "acme is gone")
        assert (served.data / "tenants" / "acme").exists()


def test_a_bad_file_stops_neither_the_others_nor_the_tenant_that_it_was(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme")
    declare(declared, "beta")
    with serve(tmp_path, declared) as served:
        key = served.key("acme")
        (declared / "acme.yaml").write_text("spec: [")
        wait_until(lambda: "skipped" in served.log.read_text(), "the bad file is reported")
        assert str(declared / "acme.yaml") in served.log.read_text()
        declare(declared, "gamma", tier="none")
        wait_until(lambda: "spec.tier: must be one of free, pro, enterprise" in served.log.read_text(), "so is gamma")
        assert status(served, key, "mem_none") == 404
        assert status(served, served.key("beta"), "mem_none") == 404


def test_a_returning_tenant_sees_old_data_only_when_it_adopts_it(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme")
    with serve(tmp_path, declared) as served:
        first = served.key("acme")
        memory = remember(served, first)
        (declared / "acme.yaml").unlink()
        wait_until(lambda: status(served, first, memory) == 401, "acme is gone")
        declare(declared, "acme")
        wait_until(lambda: "left its data in" in served.log.read_text(), "the new acme is refused")
        declare(declared, "acme", annotations={"loci.dev/adopt": "true"})
        wait_until(lambda: served.key("acme") != first, "the new acme has its key")
        wait_until(lambda: status(served, served.key("acme"), memory) == 200, "the data is taken over")
        assert status(served, first, memory) == 401


def test_deleting_with_delete_removes_the_data(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme", deletionPolicy="Delete")
    with serve(tmp_path, declared) as served:
        remember(served, served.key("acme"))
        (declared / "acme.yaml").unlink()
        wait_until(lambda: not (served.data / "tenants" / "acme").exists(), "the data is removed")
        with httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {ADMIN_KEY}"}) as admin:
            assert 'tenant="acme"' not in admin.get("/metrics").text
