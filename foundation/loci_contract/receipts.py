"""Receipts of erasures, and how anybody checks them without the service.

A receipt's `sha256` is the SHA-256 of its canonical JSON (UTF-8, keys sorted, no spaces) without that field. It holds
the hash of the tenant's receipt before it, so that none can be changed, left out or put in between without all later
ones changing. A chain proves nothing about its end: keep receipts, or their hashes, outside of the service.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

FIRST: Final = "0" * 64
"""`previous_sha256` of a tenant's first receipt."""


def digest(document: Any) -> str:
    """The SHA-256 of a document's canonical JSON, in hex."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(receipt: Mapping[str, Any], number: int, previous: str) -> dict[str, Any]:
    """The receipt with its place in the chain and its hash."""
    sealed = {**receipt, "number": number, "previous_sha256": previous}
    return {**sealed, "sha256": digest(sealed)}


def problems(receipts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the problems of one tenant's receipts, given in the order of their numbers."""
    before: Mapping[str, Any] | None = None
    for receipt in receipts:
        number = receipt.get("number")
        bare = {name: value for name, value in receipt.items() if name != "sha256"}
        if receipt.get("sha256") != digest(bare):
            yield f"receipt {number}: it was changed, its hash is not that of its content"
        if number == 1 and receipt.get("previous_sha256") != FIRST:
            yield "receipt 1: the first of a chain, but it names one before it"
        if before is not None:
            if number != before.get("number", 0) + 1:
                yield f"receipt {number}: one is missing between {before.get('number')} and {number}"
            elif receipt.get("previous_sha256") != before.get("sha256"):
                yield f"receipt {number}: it does not follow the receipt {before.get('number')} given here"
        before = receipt
