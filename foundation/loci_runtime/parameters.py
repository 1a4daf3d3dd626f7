"""Query parameters that a framework would ignore silently: those that a request does not have, and repeated ones.

An ignored `user_id` would widen a request to every user, so each is an error that names the parameter.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import Depends, Request

from loci_runtime.errors import InvalidError


def _refuse_all(request: Request) -> None:
    for name in request.query_params:
        raise InvalidError("This request has no query parameters; send fields in its body.", f"query.{name}")


def _refuse_repeated(request: Request) -> None:
    for name in request.query_params:
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidError("This parameter was sent more than once; send one value.", f"query.{name}")


NO_PARAMETERS: Final[Any] = Depends(_refuse_all)
"""A dependency of endpoints without query parameters."""
SINGLE_PARAMETERS: Final[Any] = Depends(_refuse_repeated)
"""A dependency of endpoints with query parameters, none of which is a list."""
