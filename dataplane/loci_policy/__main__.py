"""Composition root of the policy process: follows the tenant registry and serves Envoy over a Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import pkgutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import structlog

from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError
from loci_policy.buckets.fallback import BucketsWithFallback, NoBuckets
from loci_policy.buckets.leases import LeaseSizes, RedisLeases
from loci_policy.buckets.memory import LocalBuckets
from loci_policy.buckets.redis import RedisBuckets, redis_client
from loci_policy.cors import Cors
from loci_policy.gate import Gate
from loci_policy.leasing import Leasing
from loci_policy.metrics import Metrics
from loci_policy.registry.folder import FolderSource
from loci_policy.registry.follower import Registry
from loci_policy.registry.updates import Source
from loci_policy.server import PolicyApp
from loci_policy.settings import Settings
from loci_policy.supervisor import Supervisor, listening, standing_by
from loci_policy.table import Table
from loci_policy.tenants import TenantCollector
from loci_runtime import logs
from loci_runtime.serving import run, serve
from loci_runtime.tracing import exporting

_KUBERNETES: Final = "loci_policy.registry.kubernetes:kubernetes_source"
_SYNC_SECONDS: Final = 0.5
_Standing = Callable[[], AbstractAsyncContextManager[asyncio.Event]]
"""Entered before serving; its event is set when the process is to serve."""


def main() -> None:
    """Run until terminated."""
    settings = Settings()
    if not settings.standby:
        _work(settings, _alone, uds=str(settings.policy_socket))
        return
    logs.configure(settings.log_level)
    if settings.registry_folder is None:
        pkgutil.resolve_name(_KUBERNETES)  # once, for all processes to be forked
    with listening(settings.policy_socket) as listener:
        supervisor = Supervisor(lambda link: _work(settings, lambda: standing_by(link), fd=listener.fileno()))
        status = supervisor.run()
    settings.policy_socket.unlink(missing_ok=True)
    sys.exit(status)


def _work(settings: Settings, standing: _Standing, **where: Any) -> None:
    run(_serve(settings, standing, where), settings, exporting("loci-policy", settings.otlp_endpoint))


@contextlib.asynccontextmanager
async def _alone() -> AsyncIterator[asyncio.Event]:
    turn = asyncio.Event()
    turn.set()
    yield turn


async def _serve(settings: Settings, standing: _Standing, where: dict[str, Any]) -> None:
    metrics = Metrics()
    registry = Registry(Table(), metrics)
    metrics.collector_registry.register(TenantCollector(registry.table))
    async with standing() as turn, _buckets(settings, metrics) as (buckets, leasing), _source(settings) as source:
        gate = Gate(registry.table, buckets, metrics, Cors(settings.cors_origins))
        app = PolicyApp(gate, registry, settings.admin_key_sha256, leasing)
        following = asyncio.create_task(registry.follow(source))
        waiting = asyncio.create_task(turn.wait())
        await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
        # Called to serve right after its start, it can soon answer better than 503; callers wait in the backlog.
        await registry.until_synced(_SYNC_SECONDS)
        # If following the registry ends, the process must exit rather than decide on stale data.
        await serve(app, beside=_finished(following), date_header=False, **where)


async def _finished(task: asyncio.Task[None]) -> None:
    await task


@contextlib.asynccontextmanager
async def _buckets(settings: Settings, metrics: Metrics) -> AsyncIterator[tuple[Buckets, Leasing | None]]:
    """The buckets, and the leases from them; there are none from buckets of this process alone."""
    if settings.redis_url is None:
        yield LocalBuckets(settings.replicas), None
        return
    fallback = NoBuckets() if settings.redis_fallback == "deny" else LocalBuckets(settings.replicas, degraded=True)
    async with redis_client(settings.redis_url, settings.redis_timeout_seconds) as redis:
        shared = RedisBuckets(redis, settings.redis_timeout_seconds)
        try:
            await shared.load()
        except BucketsUnavailableError as error:
            structlog.get_logger().warning("redis unavailable at startup", error=str(error))
        leases = RedisLeases(redis, settings.redis_timeout_seconds)
        leasing = Leasing(leases, LeaseSizes(), metrics) if settings.leases else None
        yield BucketsWithFallback(shared, fallback, on_failure=metrics.bucket_failures.inc), leasing


@contextlib.asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[Source]:
    if settings.registry_folder is not None:
        yield FolderSource(settings.registry_folder)
        return
    # Imported dynamically: the Kubernetes client takes two seconds and 60 MB, and only this source needs it.
    kubernetes = pkgutil.resolve_name(_KUBERNETES)
    async with kubernetes(settings.system_namespace, settings.kubeconfig) as source:
        yield source


if __name__ == "__main__":
    main()
