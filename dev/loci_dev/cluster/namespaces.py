"""Resources that the node uses on this machine (network interfaces, cgroups, mount points), and their removal."""

from __future__ import annotations

import contextlib
import functools
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from loci_dev.cluster.node import CGROUP
from loci_dev.cluster.state import HOST_ADDRESS, NODE_ADDRESS, PREFIX_LENGTH
from loci_dev.rigs.processes import wait_until

UNSHARE: Final = ("unshare", "--fork", "--pid", "--mount", "--net", "--mount-proc", "--kill-child")
VOLUMES: Final = Path("/tmp/hostpath_pv")  # noqa: S108 - where the provisioner is built to put them

_INNER_LINK: Final = "node0"
_HOST_LINK: Final = "loci0"
_CGROUPS: Final = Path("/sys/fs/cgroup")
# Where volumes, containerd, runc, the network plugins and the kubelet leave traces whatever they are told.
_PRIVATE: Final = (VOLUMES, *map(Path, ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")))


def missing_folders() -> list[Path]:
    """The mount points that `prepare` creates and `remove` deletes."""
    return [folder for folder in _PRIVATE if not folder.exists()]


def join_networks(pid: int) -> None:
    """Create a veth pair between this machine and the process's network namespace; it disappears with either end."""
    _delete_link()
    pair = ["ip", "link", "add", _HOST_LINK, "type", "veth", "peer", "name", _INNER_LINK, "netns", str(pid)]
    for command in (
        pair,
        ["ip", "address", "add", f"{HOST_ADDRESS}/{PREFIX_LENGTH}", "dev", _HOST_LINK],
        ["ip", "link", "set", _HOST_LINK, "up"],
    ):
        subprocess.run(command, check=True)


def prepare() -> None:
    """Set up, inside the namespaces, the network, the node's own folders and its cgroup."""
    wait_until(_has_inner_link, "the network is joined")
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{NODE_ADDRESS}/{PREFIX_LENGTH}", "dev", _INNER_LINK],
        ["ip", "link", "set", _INNER_LINK, "up"],
        ["ip", "route", "add", "default", "via", HOST_ADDRESS],
        ["mount", "--make-rshared", "/"],
    ):
        subprocess.run(command, check=True)
    for folder in _PRIVATE:
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder)], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    make_cgroups(_CGROUPS)


def remove(folders: Iterable[Path]) -> None:
    """Remove everything after the node's processes are dead; the kernel may need a moment to release it."""
    _delete_link()
    wait_until(lambda: not Path("/sys/class/net", _HOST_LINK).exists(), f"the interface {_HOST_LINK} is gone")
    for top in _node_cgroups(_CGROUPS):
        wait_until(functools.partial(_is_cgroup_removed, top), f"the cgroup {top} is empty and removed")
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def make_cgroups(root: Path) -> None:
    """Create the node's cgroup: in every hierarchy (v1), or in the unified one (v2) with all available controllers.

    Version 2 follows the kernel's documentation; it was not run here.
    """
    if (controllers := root / "cgroup.controllers").exists():
        for controller in controllers.read_text().split():
            # One that cannot be had, as from within a container, must not cost the others.
            with contextlib.suppress(OSError):
                (root / "cgroup.subtree_control").write_text(f"+{controller}")
    for top in _node_cgroups(root):
        with contextlib.suppress(OSError):
            top.mkdir(exist_ok=True)


def _node_cgroups(root: Path) -> list[Path]:
    is_unified = (root / "cgroup.controllers").exists()
    hierarchies = [root] if is_unified else [h for h in root.iterdir() if h.is_dir() and not h.is_symlink()]
    return [hierarchy / CGROUP.strip("/") for hierarchy in hierarchies]


def _is_cgroup_removed(top: Path) -> bool:
    inner = sorted((f for f in top.rglob("*") if f.is_dir()), reverse=True) if top.exists() else []
    with contextlib.suppress(OSError):
        for folder in (*inner, top):
            folder.rmdir()
    return not top.exists()


def _delete_link() -> None:
    subprocess.run(["ip", "link", "delete", _HOST_LINK], capture_output=True, check=False)


def _has_inner_link() -> bool:
    # /sys/class/net may still show the interfaces of the namespace that it was mounted in.
    return subprocess.run(["ip", "link", "show", _INNER_LINK], capture_output=True, check=False).returncode == 0
