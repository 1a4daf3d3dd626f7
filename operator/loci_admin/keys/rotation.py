"""Replace an API key under its name, and keep the replaced one valid for a while under another. Pure.

The new key takes the place of the old one in the list that holds it, `spec.apiKeys` or `spec.issuedKeys`; the old one
becomes an issued key named `<name>-rotated-<number>` with an expiry time. Expired ones are dropped. Keys of
a tenant share its token bucket, so a rotation does not change how much it may send.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loci_resources.tenant import API_KEYS_MAX, ApiKey, MemoryTenantSpec
from loci_runtime.errors import ConflictError, InvalidError, NotFoundError

_NAME_MAX: Final = 63
_ROTATED: Final = re.compile(r".*-rotated-\d+")


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation that is asked for.

    Args:
        name: name of the key.
        sha256: hash of its new secret.
        valid_until: when the old secret ends.
        expires_at: when the new secret ends; None to keep the key's expiry time.
        now: the present time.
    """

    name: str
    sha256: str
    valid_until: datetime
    expires_at: datetime | None
    now: datetime


def rotated(spec: MemoryTenantSpec, asked: Rotation) -> tuple[MemoryTenantSpec, ApiKey, ApiKey | None]:
    """The spec after a rotation, the new key, and the old one if it stays valid for a while.

    Raises:
        NotFoundError: there is no such key.
        ConflictError: the operator generated the key, or there would be too many.
        InvalidError: the key has expired and no new expiry time was given.
    """
    old = _rotatable(spec, asked)
    new = old.model_copy(update={"sha256": asked.sha256, "expires_at": asked.expires_at or old.expires_at})
    ends = min(asked.valid_until, old.expires_at) if old.expires_at else asked.valid_until
    declared = tuple(new if key is old else key for key in spec.api_keys)
    issued = tuple(new if key is old else key for key in spec.issued_keys if not _is_over(key, asked.now))
    kept = None
    if ends > asked.now:
        names = {key.name for key in (*declared, *issued)}
        kept = old.model_copy(update={"name": _free_name(old.name, names), "expires_at": ends})
        issued = (*issued, kept)
    if len(declared) + len(issued) > API_KEYS_MAX:
        raise ConflictError(
            f"A tenant can have at most {API_KEYS_MAX} keys. Revoke one first, or rotate without overlap."
        )
    return spec.model_copy(update={"api_keys": declared, "issued_keys": issued}), new, kept


def _rotatable(spec: MemoryTenantSpec, asked: Rotation) -> ApiKey:
    old = next((key for key in spec.keys_in_force if key.name == asked.name), None)
    if old is None:
        raise NotFoundError("The tenant has no key of this name.")
    if old.sha256 is None:
        raise ConflictError(
            "The operator generated this key, and only it knows the secret. Create another key, then revoke this one."
        )
    expires_at = asked.expires_at or old.expires_at
    if expires_at and expires_at <= asked.now:
        raise InvalidError("must be in the future; the replaced key has expired", "body.expires_at")
    return old


def _is_over(key: ApiKey, now: datetime) -> bool:
    return bool(_ROTATED.fullmatch(key.name)) and key.expires_at is not None and key.expires_at <= now


def _free_name(name: str, taken: set[str]) -> str:
    for number in itertools.count(1):
        end = f"-rotated-{number}"
        candidate = name[: _NAME_MAX - len(end)].rstrip("-") + end
        if candidate not in taken:
            return candidate
    raise AssertionError
