"""Names of the processes that lease outbox entries, which tell whether their process is over.

A name has the host, the PID and the start of the process, counted by the kernel. A container that is killed comes back
with the host's name and often with the PID, but with another start, so that what it had leased is free at once. Of
another host nothing is known; there a lease ends with its time.
"""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path


def new_holder() -> str:
    """Return a name for a part of this process."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_start(pid)}/{uuid.uuid4().hex}"


def is_over(holder: str) -> bool:
    """Whether the process is known to be over."""
    host, *process = holder.split("/")
    if host != socket.gethostname() or len(process) != 3:  # noqa: PLR2004 - the parts after the host
        return False
    return _start(int(process[0])) != process[1]


def _start(pid: int) -> str | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if status[0] in "ZX" else status[19]
