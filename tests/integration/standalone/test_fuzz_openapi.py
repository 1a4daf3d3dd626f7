"""Requests made from the OpenAPI document: no 500, no data of another tenant, every response as the document says.

LOCI_FUZZ_REQUESTS sets their number (`make fuzz`: 100,000).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import httpx

from loci_dev.rigs.openapi_fuzz import OpenApiFuzz
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.standalone import Served, declare, serve

REQUESTS: Final = int(os.environ.get("LOCI_FUZZ_REQUESTS", "1500"))
CANARY: Final = "canary-of-the-other-tenant"
UNDESCRIBED: Final = {429}


def stored(served: Served, tenant: str, content: str) -> str:
    with served.client(served.key(tenant)) as client:
        body = {"content": content, "user_id": "ada", "session_id": "s", "metadata": {"a": {"b": content}}}
        wait_until(lambda: client.get("/v1/usage").is_success, "the tenant serves")
        return str(client.post("/v1/memories", json=body).raise_for_status().json()["id"])


def test_no_request_of_the_documented_shape_breaks_it_or_reaches_another_tenant(tmp_path: Path) -> None:
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    limits = {"requestsPerMinute": 1_000_000, "burst": 100_000}
    for tenant in ("acme", "other"):
        declare(tenants, tenant, tier="enterprise", limits=limits)
    with serve(tmp_path, tenants) as served:
        foreign = [stored(served, "other", f"{CANARY} {number} lives in Porto") for number in range(3)]
        own = [stored(served, "acme", f"Ada lives in Porto {number}") for number in range(3)]
        fuzz = OpenApiFuzz(7, ("/v1/", "/v2/"), [*foreign, *own, "mem_01ARZ3NDEKTSV4RRFFQ69G5FAV"])
        statuses: dict[int, int] = {}
        with served.client(served.key("acme")) as client:
            for request in fuzz.requests(REQUESTS):
                headers = {**request.headers, "content-type": "application/json"}
                answer = client.request(
                    request.method,
                    request.path,
                    params=httpx.QueryParams([(n, v.encode("utf-8", "replace").decode()) for n, v in request.query]),
                    content=request.body,
                    headers=headers,
                )
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                said = (request, answer.status_code, answer.text[:500])
                assert answer.status_code < 500, said
                assert CANARY not in answer.text, said
                if answer.status_code not in UNDESCRIBED and answer.headers.get("content-type") == "application/json":
                    assert fuzz.problems(request, answer.status_code, answer.content) == [], said
        with served.client(served.key("other")) as client:
            assert all(client.get(f"/v1/memories/{memory_id}").is_success for memory_id in foreign)
            assert client.get("/v1/usage").json()["memories"] == 3
        assert "request failed" not in served.log.read_text()
    print(f"\n{REQUESTS} requests: {dict(sorted(statuses.items()))}")  # noqa: T201 - the figures of `make fuzz`
    assert statuses.get(200, 0) + statuses.get(201, 0) > REQUESTS / 10
