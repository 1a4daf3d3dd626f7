"""`loci serve`: everything in one process on one port."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import uvicorn
import uvloop
from cyclopts import Parameter

from loci_contract import keys
from loci_policy import logs
from loci_policy.asgi import App
from loci_standalone.compose import standalone
from loci_standalone.errors import StartError
from loci_standalone.settings import Settings
from loci_standalone.start import DataFolder, data_folder, existing_folder, listen

USAGE_ERROR: Final = 2


def serve(
    *,
    data: Annotated[Path, Parameter(help="Folder of all data; made when missing.")],
    port: Annotated[int, Parameter(help="Port to listen on; 0 for any free one.")] = 8080,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    tenants: Annotated[Path | None, Parameter(help="Folder of MemoryTenant YAML files to keep to.")] = None,
) -> None:
    """Everything in one process on one port. The admin key is LOCI_ADMIN_KEY, or made and shown once."""
    settings = Settings()
    logs.configure(settings.log_level)
    try:
        with data_folder(data) as folder, listen(host, port) as listening:
            declared = existing_folder(tenants) if tenants else None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, folder, listening, declared))
    except StartError as error:
        _tell(str(error))
        raise SystemExit(USAGE_ERROR) from None


async def _serve(settings: Settings, folder: DataFolder, listening: socket.socket, declared: Path | None) -> None:
    admin_key = settings.admin_key.get_secret_value() if settings.admin_key else keys.generate_token()
    async with standalone(folder, declared, keys.sha256(admin_key), _tell) as running:
        host, port = listening.getsockname()[:2]
        names = ", ".join(tenant.metadata.name for tenant in await running.store.all()) or "none yet"
        _tell(f"version {version('loci-memory')} serves on http://{host}:{port}, data in {folder.path}")
        _tell(f"tenants: {names}; make one with POST /admin/tenants")
        if settings.admin_key is None:
            _tell(f"admin key, shown only now and kept nowhere (set LOCI_ADMIN_KEY to choose it): {admin_key}")
        server = _server(running.app)
        following = asyncio.create_task(running.declared.follow()) if running.declared else None
        if following:
            following.add_done_callback(lambda _: setattr(server, "should_exit", True))
        _let_signals_pass()
        await server.serve(sockets=[listening])
        if following:
            following.cancel()
            await asyncio.wait([following])


def _server(app: App) -> uvicorn.Server:
    options = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(options)


def _let_signals_pass() -> None:
    """Uvicorn ends on a signal and raises it again; only now everything is closed in order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)


def _tell(message: str) -> None:
    """Say something to the person at the terminal; logs go to stdout."""
    print(f"loci: {message}", file=sys.stderr, flush=True)  # noqa: T201 - see above
