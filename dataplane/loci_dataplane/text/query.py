"""A query's words, as conditions on the index terms of a memory.

The same tokens as in `analysis`, but each becomes one word that a memory holds or not: a compound by its joined form
or by all of its parts, a word of a script without spaces by all of its pairs or triples of characters. Stop words are
left out unless there is nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from loci_dataplane.text import analysis
from loci_dataplane.text.folding import fold
from loci_dataplane.text.stop_words import ENGLISH, KOREAN, PARTICLES, in_runs, stop_words
from loci_dataplane.text.tokens import Kind, tokens

_HIRAGANA: Final = regex.compile(r"\p{Hiragana}{1,2}")
_ELISION: Final = 2
"""Letters beside an apostrophe that are no word: French `l'`, English `'ll`."""


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a query; a memory holds it when it has all terms of one alternative."""

    alternatives: tuple[tuple[str, ...], ...]

    def occurrences(self, counts: Mapping[str, int]) -> int:
        """How often a text holds the word, by the number of each of its terms."""
        first = self.alternatives[0]
        if len(self.alternatives) == 1 and len(first) == 1:  # most words
            return counts.get(first[0], 0)
        return max(min(counts.get(term, 0) for term in terms) for terms in self.alternatives)


def query_words(query: str) -> list[QueryWord]:
    """The words that say something, each once, in order; all words when none does; empty without any word."""
    found = [pair for kind, token in tokens(fold(query)) for pair in _of_token(kind, token)]
    stop = stop_words([text for text, _ in found])
    telling = [word for text, word in found if text not in stop and text not in in_runs() and text not in KOREAN]
    return list(dict.fromkeys(telling or [word for _, word in found]))


def index_terms(words: Sequence[QueryWord]) -> list[str]:
    """The terms of all words, each once."""
    return list(dict.fromkeys(term for word in words for terms in word.alternatives for term in terms))


def _of_token(kind: Kind, token: str) -> Iterator[tuple[str, QueryWord]]:
    """The token's words, each as text to look up among stop words and as a condition."""
    if kind is Kind.WORD:
        yield token, _word(token)
    elif kind is Kind.NUMBER:
        yield token, QueryWord(((analysis.number(token),),))
    elif kind is Kind.HANGUL:
        noun = _without_particle(token)
        yield noun, QueryWord((tuple(analysis.pairs(noun)),))
    elif kind is Kind.CJK:
        for word in analysis.dictionary_words(token):
            yield _or_particle(word), QueryWord((tuple(analysis.pairs(word)),))
    elif kind is Kind.DICTIONARY:
        for word in analysis.dictionary_words(token):
            yield word, QueryWord((tuple(analysis.triples(word)),))
    else:
        yield token, QueryWord(((token,),))


def _word(text: str) -> QueryWord:
    parts, joined = analysis.compound_parts(text), analysis.joined_compound(text)
    if "'" in text:
        parts = [part for part in parts if len(part) > _ELISION and part not in ENGLISH] or parts
    alternatives = [tuple(joined), () if text.endswith(("++", "#")) else tuple(parts)]
    return QueryWord(tuple(terms for terms in alternatives if terms))


def _without_particle(run: str) -> str:
    for particle in PARTICLES:
        noun = run.removesuffix(particle)
        if noun != run and len(noun) + len(particle) > 2:  # noqa: PLR2004 - two syllables are a noun as they stand
            return noun
    return run


def _or_particle(word: str) -> str:
    """The word; for one of at most two hiragana, mostly an ending or a particle, one that is a stop word."""
    return "の" if _HIRAGANA.fullmatch(word) else word
