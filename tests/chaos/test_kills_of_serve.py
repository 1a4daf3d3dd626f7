"""`kill -9` of `loci serve` under 6 writers, with deletions and erasures; LOCI_CHAOS_KILLS / 10 times, at most 12."""

from __future__ import annotations

import os
import random
import threading
import time
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from loci_dev.rigs.crash_harness import MODES, WRITERS
from loci_dev.rigs.crash_writers import Writer
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.standalone import Served, declare, serve

KILLS: Final = min(12, int(os.environ.get("LOCI_CHAOS_KILLS", "40")) // 10)


@pytest.mark.invariant(2)
def test_no_kill_of_the_one_process_loses_revives_or_doubles_a_memory(tmp_path: Path) -> None:
    tenants, chance, writers = tmp_path / "tenants", random.Random(12), list[Writer]()  # noqa: S311 - moments of kills
    tenants.mkdir()
    declare(tenants, "acme", tier="enterprise")
    for number in range(KILLS):
        with serve(tmp_path, tenants) as served:
            check(served, writers)
            writers = [Writer(number, n, erasing=n == 0) for n in range(WRITERS)]
            kill_under(served, writers, chance.uniform(0, 0.5))
    with serve(tmp_path, tenants) as served:
        check(served, writers)


def kill_under(served: Served, writers: list[Writer], delay: float) -> None:
    first = threading.Event()
    threads = [threading.Thread(target=write, args=(served, writer, first)) for writer in writers]
    for thread in threads:
        thread.start()
    first.wait(30)
    time.sleep(delay)  # the moment of the kill
    served.process.kill()
    for thread in threads:
        thread.join()


def write(served: Served, writer: Writer, first: threading.Event) -> None:
    with served.client(served.key("acme")) as client:
        writer.run(client, first)


def check(served: Served, writers: list[Writer]) -> None:
    if not writers:
        return
    with served.client(served.key("acme")) as client:
        for writer in writers:
            wait_until(partial(retried, writer, client), "the tenant serves")
        wait_until(lambda: not any(writer.unfinished(client) for writer in writers), "erasures are complete")
        user = f"round {writers[0].round}"
        kept = set[str]().union(*(writer.kept for writer in writers))
        deleted = set[str]().union(*(writer.deleted for writer in writers))
        listed = client.get("/v1/memories", params={"user_id": user, "limit": 200}).raise_for_status().json()
        assert sorted(memory["id"] for memory in listed["memories"]) == sorted(kept)
        assert all(client.get(f"/v1/memories/{memory_id}").status_code == 404 for memory_id in deleted)
        for mode in MODES:
            wait_until(partial(finds, client, mode, user, kept), f"all and only what was kept is found by {mode}")


def retried(writer: Writer, client: httpx.Client) -> bool:
    try:
        writer.retry(client)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == 503:  # its stores are being opened
            return False
        raise
    return True


def finds(client: httpx.Client, mode: str, user: str, kept: set[str]) -> bool:
    body = {"query": "Ada likes otters", "mode": mode, "limit": 100, "filters": {"user_id": user}}
    found = client.post("/v1/memories/search", json=body).raise_for_status().json()
    return sorted(result["id"] for result in found["results"]) == sorted(kept)
