"""One run of the real parts under load, with Prometheus reading them, for the tests of rules and dashboards."""

from collections.abc import Iterator

import pytest

from loci_dev.observability.run import Run, observed
from loci_dev.rigs.processes import wait_until
from loci_dev.tools.catalog import MissingToolError, tool


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    try:
        for name in ("prometheus", "kube-apiserver"):
            tool(name)
    except MissingToolError as error:
        pytest.skip(str(error))
    with observed(tmp_path_factory.mktemp("observed")) as running:
        running.load(0)
        requests = 'memory_requests_total{tenant=~"acme|globex|hobby"}'
        searched = f"count(count by (tenant) (rate({requests}[1m]))) == 3"
        wait_until(lambda: bool(running.prometheus.query(searched)), "Prometheus has read every tenant twice")
        running.load(1)
        grew = f"count(count by (tenant) (rate({requests}[1m]) > 0)) == 3"
        wait_until(lambda: bool(running.prometheus.query(grew)), "Prometheus has seen the load")
        yield running
