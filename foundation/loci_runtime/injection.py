"""Dependency injection: an application stores one service per type, and endpoints request them by type."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request


def provide(app: FastAPI, *services: object) -> None:
    """Store services in an application, one per type."""
    app.state.services = {type(service): service for service in services}


def provided(kind: type) -> Any:
    """FastAPI dependency that resolves to the application's service of a type (a coroutine: no thread)."""

    async def service_of(request: Request) -> Any:
        return request.app.state.services[kind]

    return Depends(service_of)
