"""`loci operator`: composition root of the operator process.

Startup order matters: tenants and tiers are listed first, then one watch per kind fills the observer's cache, and only
when every kind is synced, and this operator leads, do the workers start. Starting earlier would take every object for
missing and write it again. The liveness endpoint comes last, so a probe succeeds only once the operator is working or
can take over.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform as machine
import random
import secrets as randomness
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import structlog

from loci_kubernetes.api import Api, api
from loci_kubernetes.errors import KubernetesError
from loci_kubernetes.lease import Leadership
from loci_kubernetes.watch import SILENCE_SECONDS, WATCH_SECONDS
from loci_operator.cluster.credentials import CredentialStore
from loci_operator.cluster.diagnosis import Diagnosis
from loci_operator.cluster.events import Events
from loci_operator.cluster.executor import Executor
from loci_operator.cluster.ingress import Ingress
from loci_operator.cluster.namespaces import Namespaces
from loci_operator.cluster.observer import Observer
from loci_operator.cluster.rollout import Pace, Rollout
from loci_operator.cluster.secrets import Secrets
from loci_operator.cluster.warnings import Warnings
from loci_operator.handlers.events import register
from loci_operator.handlers.login import register_login
from loci_operator.leading import end, lead
from loci_operator.loading import drop_missed, load
from loci_operator.metrics import Metrics
from loci_operator.provision.chroma.provisioner import ChromaProvisioner
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server
from loci_operator.provision.redis.provisioner import RedisProvisioner
from loci_operator.provision.redis.provisioner import Server as RedisServer
from loci_operator.reconciler import Deps, Reconciler
from loci_operator.settings import Settings
from loci_operator.specs.context import MANAGER, Platform
from loci_operator.specs.stores import RedisAccess, without_credentials
from loci_operator.status_server import status_server
from loci_operator.stores.external import ExternalSources
from loci_operator.stores.outcome import StoresError
from loci_operator.stores.own import OwnStores
from loci_operator.stores.shared import SharedChroma, SharedPostgres, SharedRedis
from loci_operator.stores.tenant_stores import TenantStores
from loci_operator.work_queue import WorkQueue
from loci_operator.world import World
from loci_runtime import logs
from loci_runtime.serving import run
from loci_runtime.tracing import exporting

_PAUSE_SECONDS = 1.0
_ANYWHERE = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus ask from outside the pod


def main() -> None:
    """Run until a signal stops the process."""
    settings = Settings()
    run(_run(settings), settings, exporting("loci-operator", settings.otlp_endpoint))


async def _run(settings: Settings) -> None:
    metrics, world = Metrics(), World()
    queue = WorkQueue(partial(_report, metrics))
    metrics.show_queue(queue)
    async with (
        api(settings.kubeconfig, MANAGER, metrics.count_call) as calls,
        aiohttp.ClientSession() as session,
        asyncio.TaskGroup() as group,
    ):
        pace = Pace(settings.rollout_at_once, settings.rollout_deadline_seconds)
        observer = Observer(calls, queue.nudge)
        warnings = Warnings(calls, queue.nudge)
        rollout = Rollout(observer, world.tenants, pace, queue.nudge)
        metrics.show_rollout(rollout)
        platform = _Platforms(_platform(settings))
        reconciler = _reconciler(
            _Parts(calls, observer, warnings, rollout, world, platform, metrics), session, settings
        )
        leadership = Leadership(calls, MANAGER, settings.system_namespace, settings.identity or _identity())
        metrics.show_leadership(leadership)

        def duties() -> list[Coroutine[Any, Any, None]]:
            return [
                queue.run(metrics.timed(reconciler.reconcile), settings.workers),
                _resync(queue, world, calls, settings.resync_seconds),
                rollout.run(),
            ]

        await _load(calls, world)
        background = [
            group.create_task(observer.run()),
            group.create_task(warnings.run()),
            group.create_task(lead(leadership, observer, duties)),
            group.create_task(_follow_level(settings.log_level_file, platform, queue, world)),
        ]
        try:
            # Health is served only once the workers can run.
            await observer.synced()
            async with status_server(queue, metrics.registry, _ANYWHERE, settings.health_port):
                await _kopf(settings, queue, world, partial(end, background))
        finally:
            await end(background)


def _stores(settings: Settings, secrets: Secrets, session: aiohttp.ClientSession) -> TenantStores:
    postgres = chroma = redis = None
    if dsn := settings.postgres_admin_dsn:
        address = without_credentials(settings.postgres_address or dsn)
        postgres = SharedPostgres(secrets, PostgresProvisioner(Server(dsn)), address)
    if token := settings.chroma_provisioner_token:
        provisioner = ChromaProvisioner(session, settings.chroma_url, token)
        chroma = SharedChroma(secrets, provisioner, settings.chroma_url, settings.system_namespace)
    if url := settings.redis_admin_url:
        server = RedisAccess(without_credentials(settings.redis_address or url), settings.redis_cluster)
        redis = SharedRedis(secrets, RedisProvisioner(RedisServer(url, settings.redis_cluster)), server)
    own = OwnStores(secrets, settings.cluster_domain) if settings.dedicated else None
    external = ExternalSources(
        secrets,
        settings.system_namespace,
        lambda dsn, address: SharedPostgres(secrets, PostgresProvisioner(Server(dsn, exclusive=False)), address),
        lambda url, token: ChromaProvisioner(session, url, token),
    )
    return TenantStores(postgres, chroma, redis, own, external)


class _Platforms:
    """The platform as it is now: the log level changes while the operator runs."""

    def __init__(self, platform: Platform) -> None:
        self.now = platform


@dataclass(frozen=True)
class _Parts:
    api: Api
    observer: Observer
    warnings: Warnings
    rollout: Rollout
    world: World
    platforms: _Platforms
    metrics: Metrics


async def _follow_level(path: Path | None, platforms: _Platforms, queue: WorkQueue, world: World) -> None:
    """Pass a changed log level on to the tenants' pods, by their ConfigMaps."""
    if path is None:
        return
    async for level in logs.levels(path):
        if level != platforms.now.log_level:
            platforms.now = replace(platforms.now, log_level=level)
            for tenant in world.tenants:
                queue.nudge(tenant)


def _reconciler(parts: _Parts, session: aiohttp.ClientSession, settings: Settings) -> Reconciler:
    secrets = Secrets(parts.api, parts.observer)
    platform = parts.platforms.now
    ingress = Ingress(parts.api, parts.observer, secrets, platform.system_namespace)
    return Reconciler(
        Deps(
            api=parts.api,
            observer=parts.observer,
            world=parts.world,
            namespaces=Namespaces(parts.api, parts.observer),
            ingress=ingress,
            credentials=CredentialStore(secrets),
            executor=Executor(parts.api, secrets, ingress),
            rollout=parts.rollout,
            diagnosis=Diagnosis(parts.api, parts.observer, parts.warnings),
            events=Events(parts.api, _now),
            repaired=parts.metrics.count_repair,
            platform=lambda: parts.platforms.now,
            now=_now,
            stores=_stores(settings, secrets, session),
        )
    )


def _identity() -> str:
    return f"{machine.node()}-{randomness.token_hex(4)}"


def _now() -> datetime:
    return datetime.now(UTC)


async def _load(api: Api, world: World) -> None:
    """List tenants and tiers; retried, since the API server of a new cluster may not be ready yet."""
    while True:
        try:
            return await load(api, world)
        except KubernetesError as error:
            structlog.get_logger().warning("listing tenants failed, retrying", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _resync(queue: WorkQueue, world: World, api: Api, seconds: float) -> None:
    """Periodically reconcile every tenant, to repair the effects of missed events."""
    while True:
        await asyncio.sleep(seconds)
        gone: list[str] = []
        try:
            gone = await drop_missed(api, world)
        except KubernetesError as error:
            structlog.get_logger().warning("listing tenants for resync failed", error=type(error).__name__)
        for tenant in (*world.tenants, *gone):
            queue.nudge_later(tenant, random.uniform(0, seconds / 2))  # noqa: S311 - spreads the load


async def _kopf(settings: Settings, queue: WorkQueue, world: World, end: Callable[[], Awaitable[None]]) -> None:
    handlers = kopf.OperatorRegistry()

    # kopf would wait for tasks that it does not know, and cancel them one by one.
    @kopf.on.cleanup(registry=handlers)
    async def on_cleanup(**_: Any) -> None:
        await end()

    register(handlers, world, queue)
    register_login(handlers, from_kubeconfig=settings.kubeconfig is not None)
    tuned = kopf.OperatorSettings()
    tuned.posting.enabled = False
    tuned.scanning.disabled = True
    tuned.peering.standalone = True
    # Same timeouts as loci_kubernetes.watch: a half-open connection is detected by its missing bookmarks.
    tuned.watching.server_timeout = WATCH_SECONDS
    tuned.watching.inactivity_timeout = SILENCE_SECONDS
    tuned.networking.connect_timeout = SILENCE_SECONDS
    with contextlib.suppress(asyncio.CancelledError):
        await kopf.operator(
            registry=handlers,
            settings=tuned,
            clusterwide=True,
        )


def _platform(settings: Settings) -> Platform:
    level = logs.read_level(settings.log_level_file) if settings.log_level_file else None
    return Platform(
        image=settings.image,
        embedder_url=settings.embedder_url,
        system_namespace=settings.system_namespace,
        prometheus_namespace=settings.prometheus_namespace,
        storage_class_name=settings.storage_class_name,
        cluster_domain=settings.cluster_domain,
        log_level=level or settings.log_level,
        postgres_egress=settings.postgres_egress,
        chroma_egress=settings.chroma_egress,
        redis_egress=settings.redis_egress,
        dedicated=settings.dedicated,
        otlp_endpoint=settings.otlp_endpoint,
        otlp_egress=settings.otlp_egress,
    )


def _report(metrics: Metrics, tenant: str, error: Exception) -> None:
    """Log that a tenant will be retried. API error messages name objects and fields but contain no values."""
    metrics.errors.labels(type(error).__name__).inc()
    reason = str(error) if isinstance(error, KubernetesError | StoresError) else ""
    structlog.get_logger().warning(
        "reconcile failed, retrying", tenant_id=tenant, error=type(error).__name__, reason=reason
    )


if __name__ == "__main__":
    main()
