"""A query's terms for the full text."""

from __future__ import annotations

from typing import Final

from loci_dataplane.text.analysis import terms

_STOP_WORDS: Final = frozenset(
    (  # noqa: SIM905 - a list of them is one word a line
        "a about after again all am an and any are as at be because been before being but by can could did do "
        "does doing for from had has have having he her hers him his how i if in into is it its just me my of "
        "on or our ours she so some than that the their them then there these they this those to too us was "
        "we were what when where which while who whom whose why will with would you your yours s t d ll m re "
        "ve "
    ).split()
)
_STOP_TERMS: Final = frozenset(terms(" ".join(_STOP_WORDS)))


def telling_terms(query: str) -> list[str]:
    """The query's terms, without those that say little unless there are no others."""
    found = list(dict.fromkeys(terms(query)))
    return [term for term in found if term not in _STOP_TERMS] or found
