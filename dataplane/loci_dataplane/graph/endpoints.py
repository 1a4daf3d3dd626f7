"""`/v2/facts`, `/v2/entities`, `/v2/graph/neighbors`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from loci_dataplane.graph.schemas import (
    EntitiesOutput,
    EntitiesQuery,
    FactsOutput,
    FactsQuery,
    NeighborsOutput,
    NeighborsQuery,
)
from loci_dataplane.graph.service import GraphService
from loci_dataplane.injection import service
from loci_runtime.parameters import SINGLE_PARAMETERS

router = APIRouter(prefix="/v2", tags=["graph"])

Graph = Annotated[GraphService, service(GraphService)]


@router.get("/facts", dependencies=[SINGLE_PARAMETERS])
async def facts(query: Annotated[FactsQuery, Query()], graph: Graph, request: Request) -> FactsOutput:
    """Return facts that hold now, that held at a time, or of all times."""
    found = await graph.facts(query)
    request.scope["entities_returned"] = len(found)
    return FactsOutput(facts=found)


@router.get("/entities", dependencies=[SINGLE_PARAMETERS])
async def entities(query: Annotated[EntitiesQuery, Query()], graph: Graph, request: Request) -> EntitiesOutput:
    """Return the people, places and things that memories mention."""
    found = await graph.entities(query)
    request.scope["entities_returned"] = len(found)
    return EntitiesOutput(entities=found)


@router.get("/graph/neighbors", dependencies=[SINGLE_PARAMETERS])
async def neighbors(query: Annotated[NeighborsQuery, Query()], graph: Graph, request: Request) -> NeighborsOutput:
    """Return what is related to an entity now, directly or over others."""
    found = await graph.neighbors(query)
    request.scope["entities_returned"] = len(found.neighbors)
    return found
