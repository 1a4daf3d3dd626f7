"""Child processes that die with their parent, free ports, and waiting for a condition with a deadline."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PORTS: Final = range(10_000, 30_000)  # above are Kubernetes' node ports


class ProcessFailedError(RuntimeError):
    """A process exited or did not become ready; the message holds the end of its log."""


def free_port() -> int:
    """Return an unused TCP port outside the range of ephemeral ports."""
    return next(port for port in _candidates() if _can_be_bound(port))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60, interval: float = 0.05) -> None:
    """Wait until the condition holds; raise TimeoutError naming `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(interval)


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server accepts TCP connections on the port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def is_over(pid: int) -> bool:
    """Whether the process has ended (a zombie counts as ended)."""
    state, *_ = _status(pid) or ["X"]
    return state in {"X", "Z"}


def session(leader: int) -> list[int]:
    """Return the PIDs of a session that are still alive, even when its leader has ended."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in numbers if (_status(pid) or [""] * 4)[3] == str(leader) and not is_over(pid)]


def children(parent: int) -> list[int]:
    """Return the PIDs of a process's children that are still alive, in the order of their start."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return sorted(pid for pid in numbers if (_status(pid) or [""] * 4)[1] == str(parent) and not is_over(pid))


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory this is."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in numbers if _working_directory(pid) == folder]


def command_line(pid: int) -> str:
    """Return a process's command line; empty when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


@contextlib.contextmanager
def running(  # noqa: PLR0913 - what a process can be given
    command: Sequence[str | Path],
    log: Path,
    *,
    ready: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
    user: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for the duration of the block; it is killed with its parent, even when that crashes.

    Args:
        command: the program and its arguments.
        log: the file that takes its output.
        ready: what must hold before the block starts.
        environment: added to the present environment.
        seconds: how long becoming ready may take.
        user: the user and group id to run as; None for the starter's own. Another one takes root.

    Raises:
        ProcessFailedError: it ended before it was ready, or was not ready in time.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            user=user,
            group=user,
            extra_groups=None if user is None else (),
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one libc call, safe with threads
        )
    try:
        if ready is not None:
            _await_ready(process, ready, seconds, log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Stop a process: SIGTERM first, SIGKILL after a timeout."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@functools.cache
def _candidates() -> Iterator[int]:
    """Return ports outside the kernel's ephemeral range, each once, in a random order."""
    lowest, highest = map(int, _EPHEMERAL.read_text().split())
    fixed = [port for port in _PORTS if not lowest <= port <= highest]
    # Not the shared generator, which hypothesis seeds alike in every test process.
    return iter(random.SystemRandom().sample(fixed or _PORTS, len(fixed or _PORTS)))


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _status(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the process's name; empty when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _working_directory(pid: int) -> Path | None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        return Path(f"/proc/{pid}/cwd").readlink()
    return None


def _await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], seconds: float, log: Path) -> None:
    name = Path(str(process.args[0] if isinstance(process.args, list) else process.args)).name
    try:
        wait_until(lambda: process.poll() is not None or ready(), f"{name} is ready", seconds)
    except TimeoutError as error:
        raise ProcessFailedError(f"{error}\n{_tail(log)}") from None
    if process.poll() is not None:
        raise ProcessFailedError(f"{name} ended with code {process.returncode}\n{_tail(log)}")


def _tail(log: Path, size: int = 3000) -> str:
    return log.read_text(errors="replace")[-size:]


def die_with_parent() -> None:
    """Runs in the child before its program starts: ask the kernel to kill it when its parent dies."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
