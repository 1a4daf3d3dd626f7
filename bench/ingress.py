"""Measure the cost of the ingress: Envoy with the policy (key, Redis bucket, routing) versus bare Envoy, same stub pod.

Both run at the same time and are loaded alternately, so that fluctuations of the machine affect both equally.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loci_contract.registry import Limits
from loci_dev.bench import Figure, Load, cpu_seconds, figure, report, wrk
from loci_dev.rigs.ingress import envoy, ingress, known
from loci_dev.rigs.processes import free_port
from loci_dev.rigs.redis import redis

ROUNDS: Final = 4
SECONDS: Final = 4
CONNECTIONS: Final = 32
_TYPES: Final = "type.googleapis.com/envoy.extensions.filters"
ENDLESS: Final = Limits(requests_per_minute=10**9, burst=10**9, max_memories=1, max_graph_nodes=1)


@dataclass
class Way:
    """A route to the stub with its processes by name and the measurements of each round."""

    url: str
    headers: list[str]
    processes: dict[str, int]
    loads: list[Load]
    cpu: list[dict[str, float]]

    def measure(self) -> None:
        """Run one round of load."""
        before = {name: cpu_seconds(process) for name, process in self.processes.items()}
        load = wrk(f"{self.url}/v1/memories", SECONDS, CONNECTIONS, self.headers)
        used = {name: cpu_seconds(process) - before[name] for name, process in self.processes.items()}
        self.loads.append(load)
        self.cpu.append({name: seconds / load.requests * 1e6 for name, seconds in used.items()})

    def median(self, name: str) -> float:
        """Median over the rounds of `rate`, `p50`, `p99`, or a process's CPU microseconds per request."""
        if name in self.processes:
            return statistics.median(cpu[name] for cpu in self.cpu)
        return statistics.median(
            load.requests / load.seconds if name == "rate" else getattr(load, name) for load in self.loads
        )


def main() -> None:
    """Run the benchmark and report."""
    with tempfile.TemporaryDirectory() as folder, _ways(Path(folder)) as (bare, whole):
        for way in (bare, whole):
            wrk(f"{way.url}/v1/memories", 1, CONNECTIONS, way.headers)
        for _ in range(ROUNDS):
            bare.measure()
            whole.measure()
    report("ingress", _figures(bare, whole))


@contextlib.contextmanager
def _ways(folder: Path) -> Iterator[tuple[Way, Way]]:
    stub, plain = free_port(), free_port()
    with (
        redis(folder) as buckets,
        _envoy(folder, "stub", stub, {"direct_response": {"status": 200, "body": {"inline_string": "{}"}}}) as pod,
        _envoy(folder, "bare", plain, {"route": {"cluster": "pod"}}, pod_port=stub) as bare,
        ingress(folder, {"LOCI_REDIS_URL": buckets.url}) as whole,
        known(whole, "acme", f"127.0.0.1:{stub}", limits=ENDLESS) as acme,
    ):
        processes = {
            "envoy": whole.envoy.process.pid,
            "policy": whole.policy.process.pid,
            "redis": buckets.process.pid,
            "stub": pod,
        }
        headers = [f"authorization: Bearer {acme.key}"]
        yield (
            Way(f"http://127.0.0.1:{plain}", headers, {"envoy": bare, "stub": pod}, [], []),
            Way(whole.url, headers, processes, [], []),
        )


@contextlib.contextmanager
def _envoy(folder: Path, name: str, port: int, action: dict[str, Any], pod_port: int = 9) -> Iterator[int]:
    """Run an Envoy that routes every request to one place; yield its process id."""
    routes = [{"match": {"prefix": "/"}, **action}]
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"},
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    endpoint = {"endpoint": {"address": _address(pod_port)}}
    config = folder / f"{name}.json"
    config.write_text(
        json.dumps(
            {
                "static_resources": {
                    "listeners": [{"name": name, "address": _address(port), "filter_chains": [{"filters": filters}]}],
                    "clusters": [
                        {
                            "name": "pod",
                            "load_assignment": {"cluster_name": "pod", "endpoints": [{"lb_endpoints": [endpoint]}]},
                        }
                    ],
                }
            }
        )
    )
    with envoy(folder, config, port, admin_port=0) as running:
        yield running.process.pid


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _figures(bare: Way, whole: Way) -> list[Figure]:
    ours = ("envoy", "policy", "redis")
    return [
        figure("requests per second", whole.median("rate"), "1/s", bare.median("rate")),
        figure("latency p50", whole.median("p50"), "us", bare.median("p50")),
        figure("latency p99", whole.median("p99"), "us", bare.median("p99")),
        figure("CPU of Envoy per request", whole.median("envoy"), "us", bare.median("envoy")),
        figure("CPU of the policy per request", whole.median("policy"), "us"),
        figure("CPU of Redis per request", whole.median("redis"), "us"),
        figure("CPU in total per request", sum(map(whole.median, ours)), "us", bare.median("envoy")),
    ]


if __name__ == "__main__":
    main()
