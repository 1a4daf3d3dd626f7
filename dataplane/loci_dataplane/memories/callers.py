"""The sender of a request, and whether the request may be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from loci_contract.headers import KEY_ID
from loci_dataplane.model import reply
from loci_dataplane.model.reply import Attempt
from loci_runtime.errors import InvalidError

_KEY_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a write.

    Args:
        key_id: public id of the API key; None without an ingress that tells it.
        attempt: names the request, if it has an Idempotency-Key.
    """

    key_id: str | None = None
    attempt: Attempt | None = None


async def _caller(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A retry with the same key, within 24 hours, gets the same response and changes nothing.",
        ),
    ] = None,
) -> Caller:
    key_id = request.headers.get(KEY_ID)
    if key is None:
        return Caller(key_id)
    if not 1 <= len(key) <= _KEY_MAX:
        raise InvalidError(f"must have 1 to {_KEY_MAX} characters", "header.Idempotency-Key")
    body = await request.json() if await request.body() else None
    what = (request.method, request.url.path, request.url.query, request.headers.get("if-match"))
    return Caller(key_id, reply.attempt(key, *what, body))


FromCaller = Annotated[Caller, Depends(_caller)]
