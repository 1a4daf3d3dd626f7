"""Where the local cluster keeps its state, and its addresses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST_ADDRESS: Final = "10.99.0.1"
NODE_ADDRESS: Final = "10.99.0.2"
PREFIX_LENGTH: Final = 30
API_PORT: Final = 6443
INGRESS_PORT: Final = 30080


@dataclass(frozen=True)
class State:
    """The files of one local cluster. There is one at a time on a machine."""

    folder: Path

    @classmethod
    def default(cls) -> State:
        """The folder named by LOCI_CLUSTER_DIR, by default one outside the checkout (socket paths must be short)."""
        home = Path("/var/lib") if os.geteuid() == 0 else Path.home() / ".local" / "state"
        return cls(Path(os.environ.get("LOCI_CLUSTER_DIR", home / "loci-cluster")))

    @property
    def has_node(self) -> bool:
        """Whether a node with real pods can be had (it takes root), or only the control plane."""
        return os.geteuid() == 0 and not os.environ.get("LOCI_CLUSTER_NO_NODE")

    @property
    def log(self) -> Path:
        """What the supervisor prints."""
        return self.folder / "supervisor.log"

    @property
    def pid_file(self) -> Path:
        """The supervisor's process number."""
        return self.folder / "supervisor.pid"

    @property
    def ready_file(self) -> Path:
        """Exists once every part is up."""
        return self.folder / "ready"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens."""
        return self.folder / "containerd" / "containerd.sock"

    @property
    def pid(self) -> int | None:
        """The supervisor's process number while it runs."""
        if not self.pid_file.exists():
            return None
        pid = int(self.pid_file.read_text())
        status = Path(f"/proc/{pid}/status")
        # A zombie is dead, and a number may have been given to another program.
        alive = status.exists() and "State:\tZ" not in status.read_text()
        return pid if alive and str(self.folder) in Path(f"/proc/{pid}/cmdline").read_text() else None
