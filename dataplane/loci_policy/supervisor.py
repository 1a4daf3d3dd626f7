"""Two policy processes behind one listening socket: one serves, the other stands by with the registry loaded.

The parent binds the socket, imports everything once, and forks both, so that they share its memory. A process that
ends is noticed at once (its link to the parent closes), and one that hangs by the silence of its event loop; it is
killed then. The process that stood by is told to serve, and another is forked. Connections made meanwhile wait in the
socket's backlog.

Cost: one more process that follows the registry (its own tables), and four bytes a second for each. Failure modes:
requests in flight to the process that ended fail once (Envoy repeats them); a parent that ends takes its children
along; processes that fail again and again right after their start make the parent give up, so that Kubernetes'
back-off applies.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import structlog

from loci_runtime.logs import place_of

BEAT_SECONDS: Final = 0.25
SILENCE_SECONDS: Final = 3.0
"""After so long without a beat a process counts as hung."""
_STALL_SECONDS: Final = 1.0
"""If the parent itself did not run for so long, its children may not have either: it waits for their beats anew."""
_SHORT_LIFE_SECONDS: Final = 1.0
_FAILURES_MAX: Final = 5
_BACKLOG: Final = 2048


class _TerminatedError(Exception):
    """The parent was asked to stop."""


@dataclass
class _Worker:
    pid: int
    link: socket.socket
    started: float
    heard: float


class Supervisor:
    """The parent process.

    Args:
        work: runs in each child, with its link to the parent, until the process should end.
    """

    def __init__(self, work: Callable[[socket.socket], None]) -> None:
        self._work = work
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._failures = 0
        self._log = structlog.get_logger()

    def run(self) -> int:
        """Run until terminated; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _terminate)
        gc.freeze()  # the collector must not touch, and so copy, pages that the children share
        try:
            self._keep_two()
        except _TerminatedError:
            return 0
        finally:
            self._stop_all()
        self._log.error("giving up: the policy ends right after each start")
        return 1

    def _keep_two(self) -> None:
        while self._failures < _FAILURES_MAX:
            while len(self._workers) < 2:  # noqa: PLR2004 - one serves, one stands by
                self._start()
            _tell_to_serve(self._workers[0])
            self._watch()

    def _watch(self) -> None:
        """Wait until a process ended."""
        known, looked = list(self._workers), time.monotonic()
        while self._workers == known:
            events = self._selector.select(BEAT_SECONDS)
            now = time.monotonic()
            if now - looked > _STALL_SECONDS:
                self._hear_all(now)
            for key, _ in events:
                self._hear(key.data, now)
            for worker in self._workers:
                if now - worker.heard > SILENCE_SECONDS:
                    self._log.error("the policy hangs: killing it", pid=worker.pid)
                    os.kill(worker.pid, signal.SIGKILL)
            looked = now

    def _hear_all(self, now: float) -> None:
        for worker in self._workers:
            worker.heard = now

    def _hear(self, worker: _Worker, now: float) -> None:
        with contextlib.suppress(ConnectionError):
            if worker.link.recv(64):
                worker.heard = now
                return
        self._selector.unregister(worker.link)
        worker.link.close()
        self._workers.remove(worker)
        _, status = os.waitpid(worker.pid, 0)
        self._failures = self._failures + 1 if now - worker.started < _SHORT_LIFE_SECONDS else 0
        self._log.error("a policy process ended", pid=worker.pid, status=os.waitstatus_to_exitcode(status))

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become_worker(theirs)
        theirs.close()
        now = time.monotonic()
        worker = _Worker(pid, ours, now, now)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _become_worker(self, link: socket.socket) -> NoReturn:
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for worker in self._workers:
                worker.link.close()
            self._selector.close()
            self._work(link)
            status = 0
        except BaseException as error:  # noqa: BLE001 - the edge of the process: nothing may return to the parent's code
            self._log.error("the policy failed", error=type(error).__name__, where=place_of(error))
        finally:
            os._exit(status)

    def _stop_all(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)
        for worker in self._workers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(worker.pid, 0)


def _tell_to_serve(worker: _Worker) -> None:
    with contextlib.suppress(ConnectionError):
        worker.link.send(b"!")


def _terminate(*_: object) -> NoReturn:
    raise _TerminatedError


@contextlib.asynccontextmanager
async def standing_by(link: socket.socket) -> AsyncIterator[asyncio.Event]:
    """In a child: send beats for the length of the block; the event is set when the process is to serve."""
    reader, writer = await asyncio.open_unix_connection(sock=link)
    turn = asyncio.Event()
    tasks = (asyncio.create_task(_beat(writer)), asyncio.create_task(_obey(reader, turn)))
    try:
        yield turn
    finally:
        for task in tasks:
            task.cancel()


async def _beat(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b".")
        await asyncio.sleep(BEAT_SECONDS)


async def _obey(reader: asyncio.StreamReader, turn: asyncio.Event) -> None:
    while await reader.read(64):
        turn.set()
    os.kill(os.getpid(), signal.SIGTERM)  # the parent is gone


def listening(path: Path) -> socket.socket:
    """Bind a unix socket that Envoy, which runs as another user, may connect to."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o666)
    listener.listen(_BACKLOG)
    return listener
