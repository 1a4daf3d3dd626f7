"""A stand-in for a tenant's pod that answers with the request it got, so that tests see what reaches a pod."""

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
    """The echo server for the length of a block; gives its host:port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "loci_dev.rigs.echo:app", "--port", str(port), "--lifespan", "off"]
    with running(command, folder / "echo.log", ready=lambda: is_listening(port)):
        yield f"127.0.0.1:{port}"
