"""Each store of a pod paused and killed while it is used: answers are as documented, and then all catches up."""

from __future__ import annotations

from pathlib import Path

import pytest

from loci_dev.store_faults import bench, observations
from loci_dev.tools.catalog import MissingToolError

EXPECTED = {
    "nothing": (201, 200, ()),
    "embedder paused": (201, 200, ("vector",)),
    "Chroma paused": (201, 200, ("vector",)),
    "PostgreSQL paused": (503, 503, ()),
    "Chroma killed": (201, 200, ("vector",)),
    "PostgreSQL killed": (503, 503, ()),
}


@pytest.mark.invariant(2)
def test_what_a_pod_answers_without_a_store_and_that_it_catches_up(tmp_path: Path) -> None:
    try:
        with bench(tmp_path) as used:
            found = {o.fault: (o.write, o.search, o.degraded) for o in observations(used)}
    except MissingToolError as error:
        pytest.skip(str(error))
    assert found == EXPECTED
