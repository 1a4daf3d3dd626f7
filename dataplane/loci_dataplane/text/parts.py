"""The parts of a long content that are embedded on their own."""

from __future__ import annotations


def parts(content: str) -> list[str]:
    """Return one or more parts that together hold the whole content."""
    return [content]
