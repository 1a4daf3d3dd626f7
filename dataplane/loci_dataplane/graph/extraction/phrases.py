"""Noun phrases and quantities that are cheap to find: what follows a determiner up to the next function word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from loci_dataplane.graph.extraction.english import ENGLISH
from loci_dataplane.graph.extraction.text import Token
from loci_dataplane.graph.extraction.words import ATTRIBUTES, FUNCTION, GENERIC, KIN, NOT_NOUNS, NUMBERS, word_set
from loci_dataplane.model.graph import Entity, Kind

_OWN: Final = word_set("my our his her their")
_DETERMINERS: Final = _OWN | {"a", "an"}
"""Not `the`: what follows it is too often an adjective or a verb."""
_MAX_WORDS: Final = 3
_TELL_NOTHING: Final = GENERIC | NOT_NOUNS | KIN | ATTRIBUTES
_CURRENCIES: Final = frozenset("$€£¥₹")
_UNITS: Final = word_set(
    "% percent dollars dollar euros euro pounds pound yen bucks km kilometers kilometres miles mile meters metres kg "
    "kilos lbs pounds liters litres hours minutes weeks days months years degrees people students kids children"
)


def noun_phrases(tokens: Sequence[Token]) -> list[Entity]:
    """Topics of a sentence, such as `dance studio` in `my new dance studio opens`."""
    found = []
    for place, token in enumerate(tokens):
        phrase = _phrase(tokens, place + 1) if token.lower in _DETERMINERS else None
        if phrase and (" " in phrase or token.lower in _OWN):
            found.append(Entity(phrase, Kind.TOPIC))
    return found


def quantities(tokens: Sequence[Token]) -> list[Entity]:
    """Numbers with a unit or a currency, such as `$20` and `five miles`."""
    found = []
    for place, token in enumerate(tokens):
        if not (token.text[0].isdecimal() or NUMBERS.get(token.lower, 0) > 1):
            continue
        before = tokens[place - 1].text if place else ""
        unit = tokens[place + 1].lower if place + 1 < len(tokens) else ""
        ago = place + 2 < len(tokens) and tokens[place + 2].lower == "ago"
        if before in _CURRENCIES:
            found.append(Entity(before + token.text, Kind.QUANTITY))
        elif unit in _UNITS and not ago:
            separator = "" if unit == "%" else " "
            found.append(Entity(f"{token.lower}{separator}{unit}", Kind.QUANTITY))
    return found


def _verb(word: str) -> bool:
    """Whether a word rather ends a noun phrase: an adverb, or a verb of which we know the form."""
    return word.endswith("ly") or word in ENGLISH.verbs or word == "user"


def _phrase(tokens: Sequence[Token], start: int) -> str | None:
    """The longest run of content words, without adjectives in front that say nothing of its kind."""
    words: list[str] = []
    for token in tokens[start : start + _MAX_WORDS + 2]:
        if not token.text[0].isalpha() or token.lower in FUNCTION or token.capital or _verb(token.lower):
            break
        words.append(token.lower)
    while words and words[0] in NOT_NOUNS:
        del words[0]
    if not words or len(words) > _MAX_WORDS:  # longer ones are hardly one phrase
        return None
    last = words[-1]
    telling = last not in _TELL_NOTHING and not last.endswith(("ing", "ed", "ous", "ful"))
    return " ".join(words) if telling and len(last) > 2 else None
