"""Derive tenant ids from human-readable names by transliteration.

Dropping letters would map different names to the same id (`Müller` and `Möller`). anyascii transliterates every script
letter by letter; German umlauts are expanded first, as German readers expect.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from anyascii import anyascii

from loci_contract.names import RESERVED_TENANT_NAMES, TENANT_NAME_MAX, TENANT_NAME_RULE, is_tenant_name

_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ẞ": "SS"})
_APOSTROPHES: Final = re.compile(r"['`]")


def tenant_id(name: str) -> str:
    """Tenant id for a name: `Acme_Corp` becomes `acme-corp`, `Müller & Söhne` becomes `mueller-soehne`.

    Raises:
        ValueError: the name does not give a valid id; the message states the rule and, if possible, suggests a name.
    """
    found = _ascii(name)
    if is_tenant_name(found):
        return found
    reason = "is reserved" if found in RESERVED_TENANT_NAMES else f"must give {TENANT_NAME_RULE}"
    suggested = suggestion(found)
    raise ValueError(f"the name {reason}" + (f"; try {suggested}" if suggested else ""))


def suggestion(found: str) -> str | None:
    """A valid id similar to an invalid one, or None."""
    for candidate in (found[:TENANT_NAME_MAX].rstrip("-"), f"tenant-{found}"[:TENANT_NAME_MAX].rstrip("-")):
        if found and is_tenant_name(candidate):
            return candidate
    return None


def numbered(tenant: str, number: int) -> str:
    """A numbered variant of an id that is taken."""
    end = f"-{number}"
    return tenant[: TENANT_NAME_MAX - len(end)].rstrip("-") + end


def _ascii(name: str) -> str:
    letters = anyascii(unicodedata.normalize("NFC", name).translate(_UMLAUTS)).lower()
    return re.sub(r"[^a-z0-9]+", "-", _APOSTROPHES.sub("", letters)).strip("-")
