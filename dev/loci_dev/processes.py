"""Child processes that never outlive their starter, free ports, and waiting for a condition with a deadline."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class ProcessFailedError(RuntimeError):
    """A process ended, or never became ready; the message holds the end of its log."""


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30, interval: float = 0.05) -> None:
    """Return once the condition holds; TimeoutError naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(interval)


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections there."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    *,
    ready: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs for the length of the block and is killed with its starter, even when that crashes.

    Args:
        command: the program and its arguments.
        log: the file that takes its output.
        ready: what must hold before the block starts.
        environment: added to the present environment.
        seconds: how long becoming ready may take.

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
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one libc call, safe with threads
        )
    try:
        if ready is not None:
            _await_ready(process, ready, seconds, log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End a process: first politely, then for good."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
