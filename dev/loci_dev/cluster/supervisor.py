"""The supervisor process of the local cluster: it starts every part, reports when all are ready, and stops them all.

With root it runs as the first process of its own process, mount and network namespaces; a pair of virtual
interfaces joins them to this machine. Without root it is the control plane, on the loopback address, with Loci's
processes beside it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final

from loci_dev.cluster import namespaces
from loci_dev.cluster.controlplane import control_plane
from loci_dev.cluster.node import node
from loci_dev.cluster.state import API_PORT, NODE_ADDRESS, State
from loci_dev.cluster.unprivileged import platform
from loci_dev.rigs.processes import is_over, wait_until

_VOLUMES_SECONDS: Final = 0.2
_END_SECONDS: Final = 20

_STORAGE_CLASS: Final = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/host-path
"""


def start(state: State) -> None:
    """Start the supervisor in the background; ProcessFailedError holds the end of its log when it does not start."""
    state.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "loci_dev.cluster.supervisor", str(state.folder)]
    if state.has_node:
        state.node_file.write_text("\n".join(map(str, namespaces.missing_folders())))
        command = [*namespaces.UNSHARE, *command]
    pid = _spawn(command, state.log)
    state.pid_file.write_text(str(pid))
    wait_until(lambda: state.pid is not None or is_over(pid), "the supervisor is started")
    if state.has_node:
        wait_until(lambda: _child_of(pid) is not None, "the cluster's namespaces exist")
        namespaces.join_networks(_child_of(pid) or pid)


def stop(state: State) -> None:
    """Stop the cluster, running or crashed, and remove what is left of it; TimeoutError names what remains."""
    _end_processes(state)
    if state.node_file.exists():
        namespaces.remove(map(Path, state.node_file.read_text().splitlines()))
    wait_until(lambda: _is_removed(state.folder), f"{state.folder} is removed", _END_SECONDS)


def _end_processes(state: State) -> None:
    if (pid := state.pid) is not None:
        # `unshare` ignores a polite request.
        _send(signal.SIGTERM, (_child_of(pid) if state.node_file.exists() else None) or pid)
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not state.processes, "the cluster ends", _END_SECONDS)
    for left in state.processes:
        _send(signal.SIGKILL, left)
    wait_until(lambda: not state.processes, "every process of the cluster is dead", _END_SECONDS)
    if pid is not None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _send(number: signal.Signals, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _spawn(command: list[str], log: Path) -> int:
    """Start a detached process in its own session and return its PID."""
    to_log = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(command[0], command, os.environ, file_actions=to_log, setsid=True)


def _child_of(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return int(found[0]) if found else None


def _open_volumes() -> None:
    """Let pods write to their volumes: the host-path provisioner creates folders that only root may enter."""
    for volume in namespaces.VOLUMES.glob("*"):
        volume.chmod(0o777)


def _end(*_: object) -> None:
    print("told to end", flush=True)
    sys.exit(0)


def main() -> None:
    """Run the cluster whose state is in the folder given as argument, until signalled to stop."""
    state = State(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, _end)
    with contextlib.ExitStack() as stack:
        if state.has_node:
            namespaces.prepare()
            plane = stack.enter_context(
                control_plane(state.folder, address=NODE_ADDRESS, port=API_PORT, scheduler=True)
            )
            plane.kubectl("apply", "-f", "-", stdin=_STORAGE_CLASS)
            stack.enter_context(node(plane, state.folder, NODE_ADDRESS))
        else:
            plane = stack.enter_context(control_plane(state.folder))
            stack.enter_context(platform(plane, state.folder, state.ingress_port))
        state.ready_file.touch()
        while True:
            if state.has_node:
                _open_volumes()
            time.sleep(_VOLUMES_SECONDS)


if __name__ == "__main__":
    main()
