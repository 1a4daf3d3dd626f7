"""The process that is the local cluster: it starts every part, says when all are ready, and ends with all of it.

With root it runs as the first process of its own process, mount and network namespaces; a pair of virtual
interfaces joins them to this machine. Without root it is the control plane, on the loopback address, with Loci's
processes beside it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from loci_dev.cluster.controlplane import control_plane
from loci_dev.cluster.node import CGROUP, node
from loci_dev.cluster.state import API_PORT, HOST_ADDRESS, NODE_ADDRESS, PREFIX_LENGTH, State
from loci_dev.cluster.unprivileged import platform
from loci_dev.processes import wait_until

_INNER_LINK: Final = "node0"
_HOST_LINK: Final = "loci0"
_CGROUPS: Final = Path("/sys/fs/cgroup")

_VOLUMES: Final = Path("/tmp/hostpath_pv")  # noqa: S108 - where the provisioner is built to put them
_VOLUMES_SECONDS: Final = 0.2

_STORAGE_CLASS: Final = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/host-path
"""


def start(state: State) -> None:
    """Start the supervisor in the background; ProcessFailedError with the end of its log when it does not come up."""
    state.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "loci_dev.cluster.supervisor", str(state.folder)]
    if state.has_node:
        namespaces = ["--fork", "--pid", "--mount", "--net", "--mount-proc", "--kill-child"]
        command = ["unshare", *namespaces, *command]
    pid = _spawn(command, state.log)
    state.pid_file.write_text(str(pid))
    wait_until(lambda: state.pid is not None or _is_over(pid), "the supervisor is started")
    if state.has_node:
        wait_until(lambda: _child_of(pid) is not None, "the cluster's namespaces exist")
        _join_networks(_child_of(pid))


def stop(state: State) -> None:
    """End the cluster, running or crashed, and remove all that is left of it."""
    if (pid := state.pid) is not None:
        child = _child_of(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child or pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: state.pid is None, "the cluster ends", seconds=20)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: state.pid is None, "the cluster is dead")
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    for hierarchy in _CGROUPS.glob(f"*/{CGROUP.strip('/')}"):
        _remove_cgroup(hierarchy)
    _remove_cgroup(_CGROUPS / CGROUP.strip("/"))
    shutil.rmtree(state.folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        _VOLUMES.rmdir()


def _spawn(command: list[str], log: Path) -> int:
    """Start a process in a session of its own, which may outlive this one; its number."""
    to_log = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(command[0], command, os.environ, file_actions=to_log, setsid=True)


def _is_over(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def _child_of(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return int(found[0]) if found else None


def _join_networks(pid: int | None) -> None:
    """A pair of interfaces: one end on this machine, the other in the cluster; it goes when either side does."""
    subprocess.run(["ip", "link", "delete", _HOST_LINK], capture_output=True, check=False)
    pair = ["ip", "link", "add", _HOST_LINK, "type", "veth", "peer", "name", _INNER_LINK, "netns", str(pid)]
    for command in (
        pair,
        ["ip", "address", "add", f"{HOST_ADDRESS}/{PREFIX_LENGTH}", "dev", _HOST_LINK],
        ["ip", "link", "set", _HOST_LINK, "up"],
    ):
        subprocess.run(command, check=True)


def _remove_cgroup(top: Path) -> None:
    for folder in sorted((f for f in top.rglob("*") if f.is_dir()), reverse=True) if top.exists() else []:
        folder.rmdir()
    if top.exists():
        top.rmdir()


def _prepare_namespaces() -> None:
    _VOLUMES.mkdir(exist_ok=True)
    wait_until(lambda: Path(f"/sys/class/net/{_INNER_LINK}").exists() or _has_link(), "the network is joined")
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{NODE_ADDRESS}/{PREFIX_LENGTH}", "dev", _INNER_LINK],
        ["ip", "link", "set", _INNER_LINK, "up"],
        ["ip", "route", "add", "default", "via", HOST_ADDRESS],
        ["mount", "--make-rshared", "/"],
        ["mount", "-t", "tmpfs", "tmpfs", str(_VOLUMES)],
    ):
        subprocess.run(command, check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for hierarchy in [h for h in _CGROUPS.iterdir() if h.is_dir() and not h.is_symlink()]:
        with contextlib.suppress(OSError):
            (hierarchy / CGROUP.strip("/")).mkdir(exist_ok=True)


def _has_link() -> bool:
    return subprocess.run(["ip", "link", "show", _INNER_LINK], capture_output=True, check=False).returncode == 0


def _open_volumes() -> None:
    """Let pods write to their volumes: the host-path provisioner makes folders that only root may enter."""
    for volume in _VOLUMES.glob("*"):
        volume.chmod(0o777)


def main() -> None:
    """Be the cluster whose state lies in the folder given as the argument, until told to end."""
    state = State(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        if state.has_node:
            _prepare_namespaces()
            plane = stack.enter_context(
                control_plane(state.folder, address=NODE_ADDRESS, port=API_PORT, scheduler=True)
            )
            plane.kubectl("apply", "-f", "-", stdin=_STORAGE_CLASS)
            stack.enter_context(node(plane, state.folder, NODE_ADDRESS))
        else:
            plane = stack.enter_context(control_plane(state.folder))
            stack.enter_context(platform(plane, state.folder))
        state.ready_file.touch()
        while True:
            _open_volumes()
            time.sleep(_VOLUMES_SECONDS)


if __name__ == "__main__":
    main()
