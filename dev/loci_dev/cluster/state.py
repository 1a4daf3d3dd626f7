"""Paths of the local cluster's state, and its addresses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loci_dev.rigs.processes import command_line, is_over, session

HOST_ADDRESS: Final = "10.99.0.1"
NODE_ADDRESS: Final = "10.99.0.2"
PREFIX_LENGTH: Final = 30
API_PORT: Final = 6443
INGRESS_PORT: Final = 30080


@dataclass(frozen=True)
class State:
    """The files of the local cluster; a machine runs at most one."""

    folder: Path

    @classmethod
    def default(cls) -> State:
        """The folder named by LOCI_CLUSTER_DIR (a short path, as of sockets, and not in /run, which the node hides)."""
        home = Path("/var/lib") if os.geteuid() == 0 else Path.home() / ".local" / "state"
        return cls(Path(os.environ.get("LOCI_CLUSTER_DIR", home / "loci-cluster")))

    @property
    def has_node(self) -> bool:
        """Whether a node with real pods can run (it requires root), or only the control plane."""
        return os.geteuid() == 0 and not os.environ.get("LOCI_CLUSTER_NO_NODE")

    @property
    def ingress_port(self) -> int:
        """The port of the ingress; without a node, LOCI_CLUSTER_PORT overrides it."""
        return INGRESS_PORT if self.has_node else int(os.environ.get("LOCI_CLUSTER_PORT", INGRESS_PORT))

    @property
    def log(self) -> Path:
        """The log of the supervisor."""
        return self.folder / "supervisor.log"

    @property
    def pid_file(self) -> Path:
        """The file with the supervisor's PID."""
        return self.folder / "supervisor.pid"

    @property
    def ready_file(self) -> Path:
        """Exists once every part is ready."""
        return self.folder / "ready"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """The socket of containerd."""
        return self.folder / "containerd" / "containerd.sock"

    @property
    def node_file(self) -> Path:
        """Exists where a node was started, then the one child of the recorded process; lists folders made for it."""
        return self.folder / "node"

    @property
    def pid(self) -> int | None:
        """The PID of the supervisor while it runs (with a node: of its parent `unshare`)."""
        pid = self._recorded_pid
        return pid if pid and not is_over(pid) and str(self.folder) in command_line(pid) else None

    @property
    def processes(self) -> list[int]:
        """The cluster's processes that are still alive, except pods, even after the supervisor ended."""
        pid = self._recorded_pid
        # What is dying has no command line any more; one with another's is another program with the same number.
        if pid is None or str(self.folder) not in (command_line(pid) or str(self.folder)):
            return []
        return session(pid)

    @property
    def _recorded_pid(self) -> int | None:
        return int(self.pid_file.read_text()) if self.pid_file.exists() else None
