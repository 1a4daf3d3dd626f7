"""Attempts of one tenant to reach another's data through the ingress.

Each attempt returns true if it was a breach: the victim's word or a memory's id appears in an answer to the attacker,
or a memory of the victim was changed. An attempt that is refused, or finds nothing, did no harm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from loci_contract import headers
from loci_prober.tenants import Account

_MODES: Final = ("hybrid", "vector", "keyword", "graph")


@dataclass(frozen=True)
class Target:
    """A memory of the victim, with a word in it that is nowhere else."""

    victim: Account
    attacker: Account
    memory_id: str
    user_id: str
    word: str

    @property
    def content(self) -> str:
        """The memory's content."""
        return f"The password of the vault is {self.word}."

    def is_told(self, answer: httpx.Response) -> bool:
        """Whether an answer has anything of the memory, apart from what the question had."""
        told = answer.text
        return answer.is_success and (self.word in told or self.memory_id in told)


Attempt = Callable[[httpx.AsyncClient, Target], Awaitable[bool]]


async def listing(client: httpx.AsyncClient, target: Target) -> bool:
    """List and export, all and by the victim's user."""
    asked = [("/v1/memories", {}), ("/v1/memories", {"user_id": target.user_id}), ("/v1/export", {})]
    answers = [await client.get(path, params=query, headers=target.attacker.headers) for path, query in asked]
    return any(target.is_told(answer) for answer in answers)


async def searching(client: httpx.AsyncClient, target: Target) -> bool:
    """Search for the victim's content, in every mode and with its user as the filter."""
    for mode in _MODES:
        for filters in ({}, {"user_id": target.user_id}):
            body = {"query": target.content, "mode": mode, "filters": filters}
            answer = await client.post("/v1/memories/search", json=body, headers=target.attacker.headers)
            if target.is_told(answer):
                return True
    return False


async def by_id(client: httpx.AsyncClient, target: Target) -> bool:
    """Read the memory by its id, and its history."""
    for path in (f"/v1/memories/{target.memory_id}", f"/v1/memories/{target.memory_id}/history"):
        if (await client.get(path, headers=target.attacker.headers)).is_success:
            return True
    return False


async def changing(client: httpx.AsyncClient, target: Target) -> bool:
    """Replace, update, delete and erase the memory; a breach if it is not as before."""
    path, own = f"/v1/memories/{target.memory_id}", target.attacker.headers
    await client.put(path, json={"content": "changed"}, headers=own)
    await client.patch(path, json={"content": "changed"}, headers=own)
    await client.delete(path, headers=own)
    await client.delete("/v1/memories", params={"user_id": target.user_id}, headers=own)
    await client.post("/v1/erasures", json={"user_id": target.user_id}, headers=own)
    left = await client.get(path, headers=target.victim.headers)
    return not (left.is_success and left.json()["content"] == target.content)


async def spoofing(client: httpx.AsyncClient, target: Target) -> bool:
    """Name the victim in every header that a process behind the ingress might believe."""
    tenant = target.victim.tenant
    upstream = f"loci-dataplane.loci-{tenant}.svc:8080"
    spoofed: list[Mapping[str, str]] = [
        {headers.TENANT: tenant, headers.UPSTREAM: upstream, headers.SCOPES: "read,write,admin"},
        {"host": upstream, "x-forwarded-host": upstream, "x-original-url": f"/{tenant}/v1/memories"},
        {"connection": f"{headers.TENANT}, {headers.INGRESS_TOKEN}", headers.TENANT: tenant},
        {headers.OPERATION: "livez", headers.LEASE: "1", "x-envoy-original-path": "/v1/export"},
    ]
    for more in spoofed:
        answer = await client.get("/v1/memories", headers={**target.attacker.headers, **more})
        if target.is_told(answer):
            return True
    return False


async def without_a_key(client: httpx.AsyncClient, target: Target) -> bool:
    """Read with no key, with a made-up one of the victim's, and with the victim's name as the key."""
    keys: list[dict[str, Any]] = [
        {},
        {"authorization": f"Bearer sk-{target.victim.tenant}-{'0' * 39}"},
        {"x-api-key": target.victim.tenant},
        {headers.TENANT: target.victim.tenant, headers.INGRESS_TOKEN: "", headers.KEY_ID: "key_000000000000"},
    ]
    for given in keys:
        if (await client.get("/v1/memories", headers=given)).is_success:
            return True
    return False


THROUGH_THE_INGRESS: Final[Mapping[str, Attempt]] = {
    "list": listing,
    "search": searching,
    "read_by_id": by_id,
    "spoof_headers": spoofing,
    "no_key": without_a_key,
    "change": changing,
}
"""In this order: after a change that succeeded there is nothing left to read."""
