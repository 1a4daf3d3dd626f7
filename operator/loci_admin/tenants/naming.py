"""Tenant ids from the names that people give: transliterated, never with letters left out.

A letter that were dropped would make different names one id (`Müller` and `Möller`). anyascii transliterates every
script by the letter; German umlauts are written out first, as German readers expect.
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
    """The id of a tenant from its name: `Acme_Corp` becomes `acme-corp`, `Müller & Söhne` `mueller-soehne`.

    Raises:
        ValueError: no valid id comes of it; the message states the rule and suggests a name where it can.
    """
    found = _ascii(name)
    if is_tenant_name(found):
        return found
    reason = "is reserved" if found in RESERVED_TENANT_NAMES else f"must give {TENANT_NAME_RULE}"
    suggested = suggestion(found)
    raise ValueError(f"the name {reason}" + (f"; try {suggested}" if suggested else ""))


def suggestion(found: str) -> str | None:
    """A valid id near one that is not, or None."""
    for candidate in (found[:TENANT_NAME_MAX].rstrip("-"), f"tenant-{found}"[:TENANT_NAME_MAX].rstrip("-")):
        if found and is_tenant_name(candidate):
            return candidate
    return None


def numbered(tenant: str, number: int) -> str:
    """Another id for a tenant whose own is taken."""
    end = f"-{number}"
    return tenant[: TENANT_NAME_MAX - len(end)].rstrip("-") + end


def _ascii(name: str) -> str:
    letters = anyascii(unicodedata.normalize("NFC", name).translate(_UMLAUTS)).lower()
    return re.sub(r"[^a-z0-9]+", "-", _APOSTROPHES.sub("", letters)).strip("-")
