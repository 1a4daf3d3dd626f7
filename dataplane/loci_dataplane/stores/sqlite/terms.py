"""The terms of a content as the full text stores them."""

from __future__ import annotations

from loci_dataplane.text.analysis import terms


def stored_terms(content: str) -> str:
    """Return the terms joined by spaces, the only character that separates them in the index."""
    return " ".join(terms(content))
