"""`loci prober`: composition root of the isolation prober."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from loci_prober.metrics import Metrics
from loci_prober.rounds import at_addresses, prove
from loci_prober.settings import Settings
from loci_prober.tenants import NAMES, Account, NotReadyError, account, served
from loci_runtime.serving import run, serve

_TIMEOUT = 10.0
_START_SECONDS = 120.0


def main() -> None:
    """Try until terminated."""
    settings = Settings()
    run(_serve(settings), settings)


async def _serve(settings: Settings) -> None:
    registry = CollectorRegistry()
    rounds = _rounds(settings, Metrics(registry))
    await serve(_application(registry), beside=rounds, host=settings.host, port=settings.port)


async def _rounds(settings: Settings, metrics: Metrics) -> None:
    """A round each interval, each in the other direction; keys are made anew when a round proves nothing."""
    log = structlog.get_logger()
    accounts: list[Account] = []
    async with httpx.AsyncClient(base_url=settings.ingress_url, timeout=_TIMEOUT) as client:
        while True:
            started = time.monotonic()
            try:
                accounts = accounts or await _accounts(client, settings)
                accounts.reverse()
                victim, attacker = accounts
                found = await prove(client, victim, attacker, at_addresses(settings, victim.tenant))
            except (NotReadyError, httpx.HTTPError, TimeoutError) as error:
                reason = str(error) if isinstance(error, NotReadyError) else type(error).__name__
                log.warning("round proved nothing", reason=reason)
                metrics.failed()
                accounts = []
            else:
                metrics.proved(found, time.time())
                if breached := [attempt for attempt, is_breached in found.items() if is_breached]:
                    log.error("isolation is broken", attempts=breached, victim=victim.tenant)
            await asyncio.sleep(max(0.0, settings.interval_seconds - (time.monotonic() - started)))


async def _accounts(client: httpx.AsyncClient, settings: Settings) -> list[Account]:
    key = settings.admin_key.get_secret_value()
    found = [await account(client, key, name, settings.tier) for name in NAMES]
    async with asyncio.timeout(_START_SECONDS):
        for owner in found:
            await served(client, owner)
    return found


def _application(registry: CollectorRegistry) -> Callable[..., Awaitable[None]]:
    """ASGI: /metrics, and 200 for every other path."""

    async def respond(scope: MutableMapping[str, Any], _: object, send: Callable[[Any], Awaitable[None]]) -> None:
        is_metrics = scope["path"] == "/metrics"
        body = generate_latest(registry) if is_metrics else b"alive"
        kind = CONTENT_TYPE_LATEST if is_metrics else "text/plain"
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return respond


if __name__ == "__main__":
    main()
