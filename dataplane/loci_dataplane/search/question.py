"""A search in the form that retrievers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loci_dataplane.model.filter import Filter
from loci_dataplane.text.query import QueryWord


@dataclass(frozen=True, slots=True)
class Question:
    """A query, analysed.

    Args:
        text: the query as it was sent.
        words: its words that say something; all of its words when none does.
        where: the memories that may be found.
        now: memories that have expired by then are not found.
    """

    text: str
    words: Sequence[QueryWord]
    where: Filter
    now: datetime
