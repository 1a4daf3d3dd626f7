"""The local cluster with Loci installed from its chart, as `make cluster` makes it."""

import os
from collections.abc import Iterator

import pytest

from loci_dev.cluster import supervisor
from loci_dev.cluster.__main__ import up
from loci_dev.cluster.client import Cluster
from loci_dev.cluster.state import State


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if os.geteuid() != 0:
        pytest.skip("a node with real pods needs root: namespaces, containerd and iptables")
    state = State.default()
    was_up = state.pid is not None
    try:
        up(state)
        yield Cluster(state)
    finally:
        if not was_up:
            supervisor.stop(state)
