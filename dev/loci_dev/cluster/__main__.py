"""``make cluster`` and ``make cluster-down``: a local Kubernetes with Loci installed from its chart."""

from __future__ import annotations

import argparse
import sys
import time

from loci_dev.cluster import images, install, supervisor
from loci_dev.cluster.state import State
from loci_dev.rigs.processes import ProcessFailedError, wait_until

_START_SECONDS = 180


def main() -> int:
    """Start or stop the cluster."""
    parser = argparse.ArgumentParser(prog="loci_dev.cluster", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    state = State.default()
    if parser.parse_args().action == "down":
        supervisor.stop(state)
        print("cluster: gone, with every process, mount, namespace and interface of its own")
        return 0
    up(state)
    install.explain(state)
    return 0


def up(state: State) -> None:
    """Start missing parts, import new images, and install or upgrade the chart."""
    started = time.monotonic()

    def report(message: str) -> None:
        print(f"cluster [{time.monotonic() - started:4.0f} s] {message}", flush=True)

    if state.pid is None or not state.ready_file.exists():
        supervisor.stop(state)
        report(
            "starting etcd, API server, controller manager"
            + (" and a node" if state.has_node else " (no root: no node)")
        )
        supervisor.start(state)
    names = images.build(report) if state.has_node else []
    report("waiting for the cluster")
    try:
        wait_until(lambda: state.ready_file.exists() or state.pid is None, "the cluster is ready", _START_SECONDS)
    except TimeoutError as error:
        raise ProcessFailedError(f"{error}; see {state.folder}/*.log") from None
    if state.pid is None:
        raise ProcessFailedError(f"the cluster ended at once; the end of its log:\n{state.log.read_text()[-2000:]}")
    if names:
        report("loading the images into the node")
        images.load(names, state.containerd_socket)
        report("installing charts/loci with Helm")
        install.install(state, loci_image=names[-1])
    report("ready")


if __name__ == "__main__":
    sys.exit(main())
