"""A Redis Cluster of real nodes for the length of a block, on the loopback address, keeping nothing on disk."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from loci_dev.rigs.processes import free_port, is_listening, running, wait_until
from loci_dev.tools.catalog import tool

_SLOTS: Final = 16_384


@dataclass(frozen=True)
class Node:
    """A running node; `bus` is the port where the nodes talk to each other."""

    port: int
    bus: int
    process: subprocess.Popen[bytes]

    def call(self, *words: str | int) -> Any:
        """Send one command to this node."""
        with redis.Redis(port=self.port, decode_responses=True, socket_timeout=5) as client:
            return client.execute_command(*words)


@dataclass(frozen=True)
class RedisCluster:
    """A running cluster: the primaries share the slots evenly, replica number i follows primary i modulo theirs."""

    primaries: tuple[Node, ...]
    replicas: tuple[Node, ...]

    @property
    def url(self) -> str:
        """One node's address; clients learn the others from it."""
        return f"redis://127.0.0.1:{self.primaries[0].port}/0"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return self.primaries + self.replicas


@contextlib.contextmanager
def redis_cluster(folder: Path, primaries: int = 3, replicas: int = 0) -> Iterator[RedisCluster]:
    """A cluster that serves every slot, whose replicas follow; a lost primary is noticed after 2 s."""
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(_node(folder, number)) for number in range(primaries + replicas)]
        cluster = RedisCluster(tuple(nodes[:primaries]), tuple(nodes[primaries:]))
        _join(cluster)
        yield cluster


@contextlib.contextmanager
def _node(folder: Path, number: int) -> Iterator[Node]:
    home, port, bus = folder / f"node-{number}", free_port(), free_port()
    home.mkdir()
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "cluster-enabled": "yes",
        "cluster-port": bus,
        "cluster-node-timeout": 2000,
        "save": "",
        "dir": home,
    }
    command = [
        str(tool("redis-server")),
        *(str(word) for name, value in options.items() for word in (f"--{name}", value)),
    ]
    with running(command, home / "redis.log", ready=lambda: is_listening(port)) as process:
        yield Node(port, bus, process)


def _join(cluster: RedisCluster) -> None:
    first, count = cluster.primaries[0], len(cluster.primaries)
    edges = [_SLOTS * number // count for number in range(count + 1)]
    for number, node in enumerate(cluster.primaries):
        node.call("CLUSTER", "ADDSLOTSRANGE", edges[number], edges[number + 1] - 1)
    for number, node in enumerate(cluster.nodes, 1):
        node.call("CLUSTER", "SET-CONFIG-EPOCH", number)  # else the nodes sort out their epochs one collision a second
    for node in cluster.nodes[1:]:
        node.call("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
    wait_until(lambda: all(_knows(node, len(cluster.nodes)) for node in cluster.nodes), "every node knows every other")
    for number, node in enumerate(cluster.replicas):
        node.call("CLUSTER", "REPLICATE", cluster.primaries[number % count].call("CLUSTER", "MYID"))
    wait_until(lambda: all(map(_is_linked, cluster.replicas)), "every replica follows its primary")
    wait_until(lambda: all(_is_whole(node) for node in cluster.nodes), "every node sees all slots served")


def _knows(node: Node, count: int) -> bool:
    return f"cluster_known_nodes:{count}\r" in _info(node)


def _is_whole(node: Node) -> bool:
    return "cluster_state:ok" in _info(node)


def _is_linked(node: Node) -> bool:
    return "connected" in node.call("ROLE")


def _info(node: Node) -> str:
    with redis.Redis(port=node.port, decode_responses=True, socket_timeout=5) as client:
        client.set_response_callback("CLUSTER INFO", str)
        return str(client.execute_command("CLUSTER INFO"))
