"""A collector that is away, hangs or is slow costs spans, never a request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from loci_dev.rigs.collector import Collector, collector
from loci_dev.rigs.platform import platform
from loci_dev.rigs.processes import free_port, stop, wait_until

REQUESTS = 300
"""More than Envoy and the SDK keep for a collector that does not answer."""


@contextlib.contextmanager
def away() -> Iterator[Collector]:
    yield Collector(free_port())


TROUBLES: dict[str, Callable[[], AbstractContextManager[Collector]]] = {
    "away": away,
    "hanging": lambda: collector(hanging=True),
    "slow": lambda: collector(delay=2),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_request_is_served_while_the_collector_is(trouble: str, tmp_path: Path) -> None:
    with TROUBLES[trouble]() as receiver:
        endpoint = {"endpoint": receiver.url}
        with (
            platform(tmp_path, {"LOCI_OTLP_ENDPOINT": receiver.url}, tracing=endpoint) as loci,
            loci.tenant("acme") as (tenant, _),
            loci.client(tenant) as client,
        ):
            if trouble != "away":
                client.get("/v1/usage")
                wait_until(receiver.asked.is_set, "an export is on its way")
            statuses = {client.get("/v1/usage").status_code for _ in range(REQUESTS)}
            stop(loci.ingress.policy.process, seconds=20)
            assert loci.ingress.policy.process.returncode == 0
    assert statuses == {200}


def test_spans_come_again_once_the_collector_is_back(tmp_path: Path) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with (
        platform(tmp_path, {"LOCI_OTLP_ENDPOINT": endpoint}, tracing={"endpoint": endpoint}) as loci,
        loci.tenant("acme") as (tenant, _),
        loci.client(tenant) as client,
    ):
        client.get("/v1/usage").raise_for_status()
        with collector(port=port) as receiver:

            def have_come() -> bool:
                client.get("/v1/usage").raise_for_status()
                return {"api_gateway", "rate_limiter", "memory_service"} <= receiver.names()

            wait_until(have_come, "spans of Envoy, policy and pod have come", interval=0.5)
