"""The local cluster without a node: it comes up, and whatever its end, nothing of it is left."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loci_dev.cluster import supervisor
from loci_dev.cluster.kubectl import kubectl
from loci_dev.cluster.state import State
from loci_dev.rigs.processes import command_line, free_port, is_listening, is_over, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "tenant-acme.yaml"
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "redis-server", "envoy", "loci_operator", "loci_admin")


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """A cluster that is up, beside any other that this machine may have."""
    monkeypatch.setenv("LOCI_CLUSTER_NO_NODE", "1")
    monkeypatch.setenv("LOCI_CLUSTER_PORT", str(free_port()))
    state = State(tmp_path_factory.mktemp("cluster"))
    try:
        supervisor.start(state)
        wait_until(lambda: state.ready_file.exists() or state.pid is None, "the cluster is ready", 120)
        assert state.pid is not None, state.log.read_text()
        yield state
    finally:
        supervisor.stop(state)


def test_without_a_node_a_tenant_gets_its_objects_until_the_cluster_is_told_to_end(state: State) -> None:
    assert kubectl(state.kubeconfig, "apply", "-f", str(EXAMPLE)).returncode == 0
    applied = kubectl(state.kubeconfig, "wait", "mt/acme", "--for=condition=NamespaceReady", "--timeout=60s")
    assert applied.returncode == 0, applied.stderr
    processes = state.processes
    lines = " ".join(command_line(pid) for pid in processes)
    assert [part for part in PARTS if part not in lines] == []
    with state.log.open() as log:
        supervisor.stop(state)
        assert "told to end" in log.read()
    _assert_nothing_is_left(state, processes)


def test_nothing_is_left_of_a_cluster_whose_supervisor_was_killed(state: State) -> None:
    processes = state.processes
    assert state.pid is not None
    os.kill(state.pid, signal.SIGKILL)
    supervisor.stop(state)
    _assert_nothing_is_left(state, processes)


def _assert_nothing_is_left(state: State, processes: list[int]) -> None:
    assert [pid for pid in processes if not is_over(pid)] == []
    assert state.processes == []
    assert not is_listening(state.ingress_port)
    assert not state.folder.exists()
