"""An echo server in place of a tenant's pod, so that tests see the request that reaches a pod."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loci_dev.rigs.processes import free_port, is_listening, running


async def app(scope: Any, receive: Any, send: Any) -> None:
    """ASGI: echo method, path, query and headers (a list of pairs) as JSON."""
    while (await receive()).get("more_body"):
        pass
    body = json.dumps(
        {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
        }
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.contextmanager
def echo(folder: Path) -> Iterator[str]:
    """Run the echo server for the duration of the block and yield its host:port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "loci_dev.rigs.echo:app", "--port", str(port), "--lifespan", "off"]
    with running(command, folder / "echo.log", ready=lambda: is_listening(port)):
        yield f"127.0.0.1:{port}"
