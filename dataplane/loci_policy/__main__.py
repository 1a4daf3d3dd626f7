"""Composition root of the policy process: follows the tenant registry and serves Envoy over a Unix socket."""

from __future__ import annotations

import contextlib
import pkgutil
from collections.abc import AsyncIterator

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
from loci_policy.table import Table
from loci_policy.tenants import TenantCollector
from loci_runtime.serving import run, serve
from loci_runtime.tracing import exporting


def main() -> None:
    """Run until terminated."""
    settings = Settings()
    run(_serve(settings), settings, exporting("loci-policy", settings.otlp_endpoint))


async def _serve(settings: Settings) -> None:
    metrics = Metrics()
    registry = Registry(Table(), metrics)
    metrics.collector_registry.register(TenantCollector(registry.table))
    async with _buckets(settings, metrics) as (buckets, leasing), _source(settings) as source:
        gate = Gate(registry.table, buckets, metrics, Cors(settings.cors_origins))
        app = PolicyApp(gate, registry, settings.admin_key_sha256, leasing)
        # If following the registry ends, the process must exit rather than decide on stale data.
        await serve(app, beside=registry.follow(source), uds=str(settings.policy_socket), date_header=False)


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
    kubernetes = pkgutil.resolve_name("loci_policy.registry.kubernetes:kubernetes_source")
    async with kubernetes(settings.system_namespace, settings.kubeconfig) as source:
        yield source


if __name__ == "__main__":
    main()
