"""Responses made from models directly: FastAPI would validate and convert a model that it is given once more."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel
from starlette.responses import Response


def model_response(
    model: BaseModel, headers: Mapping[str, str] | None = None, *, exclude_none: bool = False
) -> Response:
    """200 with a model as JSON; `exclude_none` leaves out fields that are null."""
    body = model.model_dump_json(by_alias=True, exclude_none=exclude_none)
    return Response(body, headers=dict(headers or {}), media_type="application/json")
