"""The operator's own small server: whether it makes progress, and its metrics."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from loci_operator.work_queue import WorkQueue

STUCK_SECONDS: Final = 120.0
"""Every call to the API server ends within 30 s, so that some reconcile ends or fails well before."""


@contextlib.asynccontextmanager
async def status_server(queue: WorkQueue, registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[None]:
    """Answer /healthz, /livez and /metrics for the length of the block; 503 while the queue is stuck."""

    async def health(_: web.Request) -> web.Response:
        stuck = queue.stalled > STUCK_SECONDS
        return web.json_response({"status": "stuck" if stuck else "ok"}, status=503 if stuck else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", health), web.get("/livez", health), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
