"""One round of attempts: plant a memory with a word of its own, try everything, and tell what was reached."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import httpx

from loci_prober import direct
from loci_prober.attempts import THROUGH_THE_INGRESS, Target
from loci_prober.settings import Settings
from loci_prober.tenants import Account, NotReadyError


def at_addresses(settings: Settings, victim: str) -> dict[str, Callable[[], Awaitable[bool]]]:
    """The attempts past the ingress, of those parts whose address is known."""
    pod = settings.pod_address.replace("{tenant}", victim)
    tried = {
        "pod": (direct.pod, pod),
        "chroma": (direct.chroma, settings.chroma_address),
        "postgres": (direct.postgres, settings.postgres_address),
        "redis": (direct.redis, settings.redis_address),
    }
    return {name: _bound(attempt, address) for name, (attempt, address) in tried.items() if address}


async def prove(
    client: httpx.AsyncClient, victim: Account, attacker: Account, beside: Mapping[str, Callable[[], Awaitable[bool]]]
) -> dict[str, bool]:
    """Whether each attempt was a breach.

    Raises:
        NotReadyError: the victim cannot store or read its own memory, so that the attempts would prove nothing.
    """
    target = await _planted(client, victim, attacker)
    found = {name: await attempt(client, target) for name, attempt in THROUGH_THE_INGRESS.items()}
    found |= {name: await attempt() for name, attempt in beside.items()}
    own = f"/v1/memories/{target.memory_id}"
    if (await client.get(own, headers=attacker.headers)).status_code != HTTPStatus.NOT_FOUND and not any(
        found.values()
    ):
        raise NotReadyError("the attacker's own requests are not served")
    await client.delete(own, headers=victim.headers)
    return found


async def _planted(client: httpx.AsyncClient, victim: Account, attacker: Account) -> Target:
    """A memory that its owner can read and find."""
    target = Target(victim, attacker, "", f"user-{secrets.token_hex(8)}", f"w{secrets.token_hex(12)}")
    body = {"content": target.content, "user_id": target.user_id}
    made = await client.post("/v1/memories", json=body, headers=victim.headers)
    if not made.is_success:
        raise NotReadyError(f"the victim cannot store a memory: status {made.status_code}")
    placed = Target(victim, attacker, made.json()["id"], target.user_id, target.word)
    if not placed.is_told(await client.get(f"/v1/memories/{placed.memory_id}", headers=victim.headers)):
        raise NotReadyError("the victim cannot read its own memory")
    return placed


def _bound(attempt: Callable[[str], Awaitable[bool]], address: str) -> Callable[[], Awaitable[bool]]:
    return lambda: attempt(address)
