"""What is there after a restart, a crash, a deletion and a tenant's return."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.standalone import ADMIN_KEY, Served, declare, serve


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


@pytest.mark.invariant(2)
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
        wait_until(lambda: "generated key 'default' of tenant acme" in served.log.read_text(), "acme is applied")
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
        wait_until(lambda: "Data of an earlier tenant" in served.log.read_text(), "the new acme is refused")
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


def test_an_emptied_file_or_a_lost_folder_deletes_nobody(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme", deletionPolicy="Delete")
    with serve(tmp_path, declared) as served:
        key = served.key("acme")
        memory = remember(served, key)
        (declared / "acme.yaml").write_text("")
        wait_until(lambda: "the file contains no tenant" in served.log.read_text(), "the empty file is reported")
        declared.rename(tmp_path / "away")
        wait_until(
            lambda: f"{declared} does not exist any more" in served.log.read_text(), "the lost folder is reported"
        )
        assert status(served, key, memory) == 200


ODD = {
    "a day that is none": "expiresAt: 2026-02-30",
    "a number without end": f"a: {'9' * 5_000}",
    "a tag of its own": "a: !!int abc",
    "nested without end": "[" * 3_000,
}


def test_no_file_ends_the_server_whatever_is_in_it(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme")
    (declared / "loop.yaml").symlink_to("loop.yaml")
    os.mkfifo(declared / "pipe.yaml")
    for number, text in enumerate(ODD.values()):
        (declared / f"odd-{number}.yaml").write_text(text)
    with serve(tmp_path, declared) as served:
        wait_until(lambda: served.log.read_text().count("invalid YAML") == len(ODD), "each is reported")
        assert status(served, served.key("acme"), "mem_none") == 404


def test_one_tenants_broken_data_stops_no_other(tmp_path: Path, declared: Path) -> None:
    declare(declared, "acme")
    declare(declared, "broken")
    with serve(tmp_path, declared) as served:
        keys = {name: served.key(name) for name in ("acme", "broken")}
    (served.data / "tenants" / "broken" / "memories.db").write_text("garbage" * 1_000)
    with serve(tmp_path, declared) as served:
        assert "tenant broken is not serving because its data cannot be opened (records" in served.log.read_text()
        assert status(served, keys["acme"], "mem_none") == 404
        with served.client(keys["broken"]) as client:
            answer = client.get("/v1/memories/mem_none")
            assert (answer.status_code, answer.json()["error"]) == (503, "service_unavailable")
            assert (answer.json()["component"], answer.headers["retry-after"]) == ("records", "5")
            for path in ("memories.db", "memories.db-wal", "memories.db-shm"):
                (served.data / "tenants" / "broken" / path).unlink(missing_ok=True)
            wait_until(lambda: client.get("/v1/memories/mem_none").status_code == 404, "broken serves again")


def test_a_tenant_that_goes_under_load_fails_no_request(tmp_path: Path) -> None:
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    with serve(tmp_path) as served, ThreadPoolExecutor(8) as pool, httpx.Client(base_url=served.url) as client:
        made = client.post("/admin/tenants", json={"name": "gone", "tier": "enterprise"}, headers=admin).json()
        going = threading.Event()

        def ask() -> set[int]:
            seen = set()
            with served.client(made["api_key"]) as tenant:
                while 401 not in seen:
                    seen.add(tenant.post("/v1/memories", json={"content": "a memory"}).status_code)
                    going.set()
            return seen

        asking = [pool.submit(ask) for _ in range(4)]
        going.wait(30)
        metrics = pool.submit(lambda: {client.get("/metrics", headers=admin).status_code for _ in range(20)})
        assert client.delete("/admin/tenants/gone", headers=admin).status_code == 202
        assert set().union(*(seen.result(60) for seen in asking)) == {201, 401}
        assert metrics.result(60) == {200}
        assert 'tenant="gone"' not in client.get("/metrics", headers=admin).text
