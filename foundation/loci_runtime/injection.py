"""Services for endpoints: an application keeps one of each type, and an endpoint names the type that it needs."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request


def provide(app: FastAPI, *services: object) -> None:
    """Keep services in an application, one of each type."""
    app.state.services = {type(service): service for service in services}


def provided(kind: type) -> Any:
    """The dependency that gives an endpoint the application's service of this type."""

    def service_of(request: Request) -> Any:
        return request.app.state.services[kind]

    return Depends(service_of)
