"""Run a process's main function and serve an ASGI application in it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop

from loci_runtime import logs
from loci_runtime.settings import ProcessSettings

_OPTIONS: Final[dict[str, Any]] = {
    "http": "httptools",
    "ws": "none",
    "lifespan": "off",
    "access_log": False,
    "proxy_headers": False,
    "server_header": False,
    "log_config": None,
    "timeout_keep_alive": 75,
    "timeout_graceful_shutdown": 10,
}


def run(
    main: Coroutine[Any, Any, None], settings: ProcessSettings, within: AbstractContextManager[None] | None = None
) -> None:
    """Run a process's main function, with its logs set up and their level followed; `within` is entered around it."""
    logs.configure(settings.log_level)
    with within or contextlib.nullcontext(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main if settings.log_level_file is None else _following_level(main, settings.log_level_file))


async def _following_level(main: Coroutine[Any, Any, None], path: Path) -> None:
    task = asyncio.create_task(_follow_level(path))
    try:
        await main
    finally:
        task.cancel()


async def _follow_level(path: Path) -> None:
    async for level in logs.levels(path):
        logs.set_level(level)


async def serve(app: Any, beside: Coroutine[Any, Any, None] | None = None, **where: Any) -> None:
    """Serve an ASGI application until a termination signal, or until the background task ends.

    Args:
        app: the application.
        beside: background task; serving stops when it ends, and its exception is raised here.
        where: `host` and `port`, `uds` or `sockets`, and other uvicorn options.
    """
    sockets = where.pop("sockets", None)
    server = uvicorn.Server(uvicorn.Config(app, **{**_OPTIONS, **where}))
    _let_signals_pass()
    async with _running(beside, server):
        await server.serve(sockets=sockets)


def _let_signals_pass() -> None:
    """Ignore signals that uvicorn raises again after its shutdown, so that resources are closed regularly."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None] | None, server: uvicorn.Server) -> AsyncIterator[None]:
    if work is None:
        yield
        return
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: setattr(server, "should_exit", True))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
