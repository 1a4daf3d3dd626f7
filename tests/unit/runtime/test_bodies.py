"""Bodies: decompressed and bounded as applications read them, drained within bounds when nobody does."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope

from loci_runtime.bodies import BodyError, _decompressed, bounded
from loci_runtime.draining import drained

BODY = b'{"content": "otters"}'


def sending(*pieces: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    return receive


def scope(**headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "headers": pairs}


async def read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    return body


def pieces(body: bytes, size: int) -> Iterable[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize(
    "body", [gzip.compress(BODY), gzip.compress(BODY[:5]) + gzip.compress(BODY[5:])], ids=["one member", "two"]
)
async def test_gzip_is_decompressed_however_it_is_cut(body: bytes, size: int) -> None:
    request = scope(content_encoding="GZIP", content_length=str(len(body)))
    assert await read(bounded(request, sending(*pieces(body, size)), 100)) == BODY
    assert request["headers"] == []


@pytest.mark.parametrize(
    "body",
    [BODY, gzip.compress(BODY)[:-1], gzip.compress(BODY) + b"more", b"\x1f\x8b"],
    ids=["plain", "cut off", "more after it", "header"],
)
async def test_what_is_not_gzip_is_400(body: bytes) -> None:
    with pytest.raises(BodyError) as refused:
        await read(bounded(scope(content_encoding="gzip"), sending(body), 1_000))
    assert refused.value.status_code == 400


async def test_the_bound_counts_decompressed_bytes_and_memory_stays_within_it() -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    with pytest.raises(BodyError) as refused:
        await read(bounded(scope(content_encoding="gzip"), sending(bomb), 1_000))
    assert refused.value.status_code == 413
    piece = await _decompressed(sending(bomb), 1_000)()
    assert len(piece["body"]) == 1_001, "no more is decompressed than shows that it is too much"
    exact = gzip.compress(b"x" * 1_000)
    assert len(await read(bounded(scope(content_encoding="gzip"), sending(exact), 1_000))) == 1_000


async def test_an_empty_body_needs_no_gzip_header_of_its_own() -> None:
    assert await read(bounded(scope(content_encoding="gzip"), sending(b""), 10)) == b""


class Client:
    """The server's side of a request: counts what was read, keeps what was sent."""

    def __init__(self, total: int, *, hangs: bool = False) -> None:
        self.left, self.hangs, self.sent = total, hangs, list[Message]()

    async def receive(self) -> Message:
        if self.hangs:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": b"x", "more_body": self.left > 0}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def refused(self, **headers: str) -> bool:
        """Respond without reading; whether the connection is to be closed."""
        _, send = drained(scope(**headers), self.receive, self.send, max_bytes=5, max_seconds=0.01)
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        assert [message["type"] for message in self.sent] == ["http.response.start", "http.response.body"]
        return (b"connection", b"close") in self.sent[0]["headers"]


async def test_a_short_rest_is_read_and_the_connection_kept() -> None:
    client = Client(5)
    assert not await client.refused(content_length="5")
    assert client.left == 0


async def test_beyond_its_bytes_or_seconds_the_rest_is_left_and_the_connection_closed() -> None:
    client = Client(100)
    assert await client.refused(transfer_encoding="chunked")
    assert client.left == 95
    assert await Client(5, hangs=True).refused(content_length="5")


async def test_who_waits_for_leave_to_send_is_refused_at_once() -> None:
    client = Client(5)
    assert await client.refused(content_length="5", expect="100-continue")
    assert client.left == 5


async def test_a_request_without_a_body_is_not_read() -> None:
    client = Client(5)
    assert not await client.refused(content_length="0")
    assert client.left == 5
