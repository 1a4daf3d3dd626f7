"""Encoding of Secrets."""

from __future__ import annotations

import base64
from collections.abc import Mapping


def secret_data(entries: Mapping[str, str]) -> dict[str, str]:
    """Entries of a Secret as its `data` has them, by name."""
    return {name: base64.b64encode(text.encode()).decode() for name, text in sorted(entries.items())}
