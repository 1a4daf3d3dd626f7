"""Reads a request's body to its end before a response that does not need it.

Many clients send a whole body before they read anything: if their connection is closed meanwhile, they see a broken
pipe and never the response. A proxy such as Envoy also drops a request once its response is complete. So the rest of
the body is read and dropped first, within bounds of bytes and seconds; beyond them the response is sent and the
connection closed. A client that waits for `100 Continue` gets the response at once, and its connection is closed, since
it may or may not send the body then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

MAX_DRAINED_BYTES: Final = 128 * 2**20
MAX_DRAINED_SECONDS: Final = 10.0
_CLOSE: Final = (b"connection", b"close")


def drained(
    scope: MutableMapping[str, Any],
    receive: _Receive,
    send: _Send,
    max_bytes: int = MAX_DRAINED_BYTES,
    max_seconds: float = MAX_DRAINED_SECONDS,
) -> tuple[_Receive, _Send]:
    """`receive` and `send` of an ASGI request that drain its body; unchanged when it has none."""
    headers = dict(scope["headers"])
    if not headers.keys() & {b"content-length", b"transfer-encoding"} or headers.get(b"content-length") == b"0":
        return receive, send
    waits = headers.get(b"expect", b"").lower() == b"100-continue"
    unread = True

    async def receive_and_note() -> _Message:
        nonlocal unread, waits
        waits = False  # the server asks for the body now
        message = await receive()
        unread = message["type"] == "http.request" and bool(message.get("more_body"))
        return message

    async def drain_and_send(message: _Message) -> None:
        if unread and message["type"] == "http.response.start":
            if not waits:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max_seconds):
                        await _drop(receive_and_note, max_bytes)
            if unread:
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await send(message)

    return receive_and_note, drain_and_send


async def _drop(receive: _Receive, max_bytes: int) -> None:
    dropped, more = 0, True
    while more and dropped < max_bytes:
        message = await receive()
        dropped += len(message.get("body", b""))
        more = bool(message.get("more_body"))
