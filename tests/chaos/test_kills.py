"""`kill -9` of a pod at random moments and between the steps of a write and of an erasure, on each storage profile.

Nothing acknowledged may be lost, nothing deleted revived, nothing there twice. LOCI_CHAOS_KILLS sets the number of
kills of all profiles together (`make chaos`: 1,000).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from loci_contract.registry import Limits
from loci_dev.rigs import pod
from loci_dev.rigs.crash_harness import AT_RANDOM, CrashHarness
from loci_dev.rigs.crashing_pod import factory
from loci_dev.rigs.faults import ERASURE_POINTS, POINTS
from loci_dev.rigs.processes import free_port
from loci_dev.rigs.profiles import profile
from loci_dev.tools.catalog import MissingToolError

KILLS: Final = int(os.environ.get("LOCI_CHAOS_KILLS", "40"))
SHARES: Final = {"embedded": 0.6, "shared": 0.3, "dedicated": 0.1}
EVERY_POINT: Final = (*POINTS, *ERASURE_POINTS)


@pytest.fixture(scope="module")
def embedder_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pod.embedder(tmp_path_factory.mktemp("embedder")) as url:
        yield url


@pytest.mark.invariant(2)
@pytest.mark.parametrize("name", SHARES)
def test_no_kill_loses_revives_or_doubles_a_memory(tmp_path: Path, embedder_url: str, name: str) -> None:
    kills, port, chance = round(KILLS * SHARES[name]), free_port(), random.Random(name)  # noqa: S311 - moments of kills
    try:
        with profile(name, tmp_path) as stores:
            environment = {**settings(tmp_path, embedder_url, port), **stores.environment("acme")}
            with factory(environment, tmp_path / "pods.log") as pods:
                harness, started = CrashHarness(pods, port), time.monotonic()
                for number in range(kills):
                    point = EVERY_POINT[number // 2 % len(EVERY_POINT)] if number % 2 else AT_RANDOM
                    nth = 1 if point in ERASURE_POINTS else chance.randint(1, 8)
                    harness.round(number, point, nth, chance.uniform(0, 0.3))
                harness.finish()
    except MissingToolError as error:
        pytest.skip(str(error))
    seconds = time.monotonic() - started
    print(f"\n{name}: {kills} kills in {seconds:.0f} s, none lost, revived or doubled: {harness.seen}")  # noqa: T201 - the figures of `make chaos`


def settings(folder: Path, embedder_url: str, port: int) -> dict[str, str]:
    limits = Limits(requests_per_minute=100, burst=20, max_memories=10**6, max_graph_nodes=10**6)
    (folder / "limits.json").write_text(limits.model_dump_json())
    (folder / "ingress-token").write_text(pod.TOKEN)
    return {
        "LOCI_TENANT": "acme",
        "LOCI_DATA_DIR": str(folder / "acme"),
        "LOCI_INGRESS_TOKEN_FILE": str(folder / "ingress-token"),
        "LOCI_LIMITS_FILE": str(folder / "limits.json"),
        "LOCI_EMBEDDER_URL": embedder_url,
        "LOCI_PORT": str(port),
    }
