"""Cursors of lists: the place of the last memory of a page, and the order that the list has."""

from __future__ import annotations

import base64
import re
from typing import Final

from loci_dataplane.memories.schemas import Order
from loci_runtime.errors import InvalidError

_FIELD: Final = "query.cursor"
_SIGNS: Final = {Order.ASC: ">", Order.DESC: "<"}
_CURSOR: Final = re.compile(rb"([<>])(0|[1-9][0-9]{0,18})")
_PLACE_MAX: Final = 2**63 - 1


def cursor_after(place: int, order: Order) -> str:
    """The cursor of the page that follows a memory's place in a list."""
    return base64.urlsafe_b64encode(f"{_SIGNS[order]}{place}".encode()).decode().rstrip("=")


def place_of(cursor: str | None, order: Order) -> int | None:
    """The place that a cursor names; None without a cursor.

    Raises:
        InvalidError: it is no cursor, or that of a list in the other order.
    """
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(_decoded(cursor))
    if match is None or int(match[2]) > _PLACE_MAX:
        raise InvalidError("Invalid cursor; omit it to start over.", _FIELD)
    if match[1].decode() != _SIGNS[order]:
        other = next(one for one in Order if one is not order)
        raise InvalidError(f"This cursor is of a list with order={other}; send that order, or omit the cursor.", _FIELD)
    return int(match[2])


def _decoded(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
