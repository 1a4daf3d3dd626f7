"""Finds an endpoint's service by its type among those of the application that serves the request.

An endpoint declares the one service that it calls (`Annotated[Memories, service(Memories)]`) and so depends on neither
the composition nor other features. A service that needs the stores is there only while they are open; until then its
endpoints raise NotServingError.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from fastapi import Depends, Request

Service = TypeVar("Service")


class NotServingError(Exception):
    """The tenant is not serving, because one of its stores is not open.

    Args:
        component: the store, as `/health` names it.
    """

    def __init__(self, component: str) -> None:
        super().__init__(component)
        self.component = component


class Services:
    """An application's services by type; kept in its state."""

    def __init__(self) -> None:
        self._services: dict[type, object] = {}
        self.missing = "records"
        """The store that keeps the other services away."""

    def provide(self, *services: object) -> None:
        """Add services."""
        self._services |= {type(service): service for service in services}

    def withdraw(self, *services: object) -> None:
        """Remove services."""
        for service in services:
            self._services.pop(type(service), None)

    def find(self, kind: type[Service]) -> Service:
        """Return the service of a type, or raise NotServingError."""
        if kind not in self._services:
            raise NotServingError(self.missing)
        return cast("Service", self._services[kind])


def service(kind: type[Any]) -> Any:
    """Return the dependency on the service of a type, for `Annotated`."""

    async def find(request: Request) -> Any:  # a plain function would run in a thread
        services: Services = request.app.state.services
        return services.find(kind)

    return Depends(find)
