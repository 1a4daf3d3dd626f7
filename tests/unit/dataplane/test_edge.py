from __future__ import annotations

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from loci_contract.headers import INGRESS_TOKEN
from loci_contract.routes import TENANT
from loci_dataplane.middleware import MAX_BODY_BYTES, ingress_only
from loci_runtime.bodies import BodyError, bounded
from loci_runtime.edge import Edge, Rules

TRACE = "0af7651916cd43dd8448eb211c80319c"
TOKEN = "right"


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise RuntimeError("canary in an exception")


def edge() -> Edge:
    return Edge(failing, Rules(ingress_only(TOKEN.encode), MAX_BODY_BYTES, TENANT))


def client(token: str | None = TOKEN) -> httpx.AsyncClient:
    headers = {INGRESS_TOKEN: token} if token is not None else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(edge()), base_url="http://pod", headers=headers)


@pytest.mark.parametrize("token", [None, "", "wrong", "right ", "rightt", "righ", "\u00e9"])
async def test_refuses_whoever_did_not_come_through_the_ingress(token: str | None) -> None:
    async with client() as stranger:
        headers = [(INGRESS_TOKEN.encode(), token.encode())] if token is not None else []
        stranger.headers.pop(INGRESS_TOKEN)
        answer = await stranger.get("/v1/memories", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


async def test_an_unexpected_failure_tells_nothing_but_the_request_id() -> None:
    with capture_logs() as logs:
        async with client() as caller:
            answer = await caller.get("/v1/memories", headers={"x-request-id": "req-1"})
    assert answer.status_code == 500
    assert answer.json().keys() == {"error", "message", "request_id"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "req-1"
    assert "canary" not in answer.text + str(logs)
    assert [entry["event"] for entry in logs] == ["request failed", "request"]


@pytest.mark.parametrize("asked", ["", "two words", "x" * 129, "a\tb", "sk-acme-sent-by-mistake"])
async def test_a_request_id_that_could_do_harm_is_replaced(asked: str) -> None:
    async with client("wrong") as caller:
        answer = await caller.get("/v1/memories", headers={"x-request-id": asked})
    assert answer.headers["x-request-id"] not in {"", asked}


async def test_the_log_names_the_callers_trace() -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with client("wrong") as caller:
            await caller.get("/v1/memories", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
            await caller.get("/v1/memories", headers={"traceparent": "nonsense"})
    assert [entry["trace_id"] for entry in logs] == [TRACE, None]


async def test_a_body_that_is_said_to_be_too_long_is_not_waited_for() -> None:
    async def never() -> Message:
        raise AssertionError("the body was read")

    sizes = [(b"content-length", b"%d" % (MAX_BODY_BYTES + 1)), (INGRESS_TOKEN.encode(), TOKEN.encode())]
    scope: Scope = {"type": "http", "method": "POST", "path": "/v1/memories", "headers": sizes}
    receive = bounded(scope, never, MAX_BODY_BYTES)
    with pytest.raises(BodyError) as refused:
        await receive()
    assert refused.value.status_code == 413
