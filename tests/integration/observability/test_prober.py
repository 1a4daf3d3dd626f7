"""The isolation prober on a real platform: it proves isolation where it holds, and tells how it is broken where not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.prober import prober
from loci_dev.rigs.processes import free_port, wait_until
from loci_dev.rigs.redis import redis
from loci_dev.rigs.standalone import ADMIN_KEY, Served, declare, serve
from loci_dev.rigs.store_servers import store_servers
from loci_dev.tools.catalog import MissingToolError
from loci_prober import direct
from loci_prober.attempts import THROUGH_THE_INGRESS
from loci_prober.rounds import prove
from loci_prober.tenants import Account, NotReadyError


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("probed")
    (folder / "tenants").mkdir()
    for name in ("acme", "globex"):
        declare(folder / "tenants", name, tier="enterprise")
    with serve(folder, folder / "tenants") as running:
        yield running


def test_every_attempt_is_held_off_and_told_as_such(served: Served, tmp_path: Path) -> None:
    with prober(tmp_path, served.url, ADMIN_KEY) as url:
        proved = 'loci_isolation_rounds_total{result="held"}'

        def metrics() -> str:
            return httpx.get(f"{url}/metrics").text

        wait_until(lambda: proved in metrics() and f"{proved} 0.0" not in metrics(), "a round is complete")
        told = metrics()
    assert [a for a in THROUGH_THE_INGRESS if f'loci_isolation_breached{{attempt="{a}"}} 0.0' not in told] == []
    log = (tmp_path / "prober.log").read_text()
    assert ADMIN_KEY not in log
    assert "sk-" not in log


async def test_a_caller_who_is_the_victim_to_the_platform_breaches_all_that_a_key_opens(served: Served) -> None:
    victim = Account("acme", served.key("acme"))
    async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        found = await prove(client, victim, Account("globex", victim.key), {})
    assert found == {**dict.fromkeys(THROUGH_THE_INGRESS, True), "no_key": False}


async def test_two_tenants_that_are_apart_breach_nothing(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        victim, attacker = (Account(name, served.key(name)) for name in ("acme", "globex"))
        found = await prove(client, victim, attacker, {})
    assert found == dict.fromkeys(THROUGH_THE_INGRESS, False)


async def test_a_round_whose_victim_is_not_served_proves_nothing(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        with pytest.raises(NotReadyError, match="status 401"):
            await prove(client, Account("acme", "sk-none"), Account("globex", served.key("globex")), {})


async def test_open_servers_are_breached_and_guarded_or_absent_ones_are_not(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    try:
        (tmp_path / "open").mkdir()
        with redis(tmp_path) as cache, chroma_server(tmp_path / "open") as bare, store_servers(tmp_path) as stores:
            assert await direct.redis(f"127.0.0.1:{cache.port}")
            assert await direct.chroma(f"127.0.0.1:{bare.port}")
            assert not await direct.chroma(stores.chroma.url.removeprefix("http://"))
            assert not await direct.postgres(f"127.0.0.1:{stores.postgres.cluster.port}")
            hba = stores.postgres.cluster.folder / "data" / "pg_hba.conf"
            hba.write_text("host all all 127.0.0.1/32 trust\n")
            stores.postgres.cluster.execute("SELECT pg_reload_conf()")
            assert await direct.postgres(f"127.0.0.1:{stores.postgres.cluster.port}")
    except MissingToolError as error:
        pytest.skip(str(error))
    for attempt in (direct.pod, direct.chroma, direct.redis, direct.postgres):
        assert not await attempt(nowhere)
