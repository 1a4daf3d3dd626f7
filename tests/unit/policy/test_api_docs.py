"""The OpenAPI document says of every route what it takes and returns; its page loads nothing from elsewhere."""

from __future__ import annotations

import re

import orjson

from loci_contract.routes import ADMIN, TENANT
from loci_policy import api_docs

DOCUMENT = orjson.loads(api_docs.openapi().body)


def test_every_route_is_described_with_its_operation_key_and_errors() -> None:
    for route in TENANT + ADMIN:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert operation["operationId"] == route.operation
        assert operation["security"]
        assert {"401", "422", "503"} <= operation["responses"].keys()
        assert ("429" in operation["responses"]) is (route.scope is not None)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(rb'"(#/[^"]+)"', api_docs.openapi().body)):
        found = DOCUMENT
        for part in reference.decode().removeprefix("#/").split("/"):
            found = found[part]


def test_the_page_and_its_files_are_served_from_here() -> None:
    page = api_docs.page()
    named = re.findall(rb'(?:src|href)="([^"]+)"', page.body)
    assert len(named) == 3
    for path in named:
        assert path.startswith(b"/docs/")
        found = api_docs.asset(path.removeprefix(b"/docs/").decode())
        assert found is not None
        assert found.body
    assert b"http" not in page.body
    assert b"default-src 'self'" in dict(page.headers)[b"content-security-policy"]


def test_nothing_else_is_served() -> None:
    for name in ("", "..", "index.html", "../__init__.py", "swagger-ui.css/"):
        assert api_docs.asset(name) is None
