"""Reject unknown and repeated query parameters, which FastAPI ignores silently.

An ignored `user_id` would widen a request to all users, so each such parameter is an error that names it. These
checks are coroutines since FastAPI runs plain functions in threads, which costs more than they do.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import Depends, Request

from loci_runtime.errors import InvalidError


async def _refuse_all(request: Request) -> None:
    for name in request.query_params:
        raise InvalidError("This endpoint takes no query parameters. Send fields in the body.", f"query.{name}")


async def _refuse_repeated(request: Request) -> None:
    for name in request.query_params:
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidError("The parameter was sent more than once. Send one value.", f"query.{name}")


NO_PARAMETERS: Final[Any] = Depends(_refuse_all)
"""FastAPI dependency for endpoints without query parameters."""
SINGLE_PARAMETERS: Final[Any] = Depends(_refuse_repeated)
"""FastAPI dependency for endpoints with query parameters, none of which is a list."""
