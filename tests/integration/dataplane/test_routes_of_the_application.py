"""A tenant's application and the routes table name the same operations."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from loci_contract.routes import TENANT


def test_the_table_and_the_application_have_the_same_routes(acme: httpx.AsyncClient) -> None:
    transport = acme._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    described = transport.app.openapi()["paths"]
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == {
        (route.method, route.path) for route in TENANT
    }


async def test_every_operation_is_reached_by_its_route(acme: httpx.AsyncClient) -> None:
    for route in TENANT:
        await acme.request(route.method, route.path.format(memory_id="mem_1", erasure_id="ers_1"), json={})
    text = (await acme.get("/metrics")).text
    for route in TENANT:
        assert f'method="{route.operation}"' in text
