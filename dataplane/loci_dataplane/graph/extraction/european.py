"""German, Spanish, French, Portuguese and Italian: the commonest verb phrases of a fact, in the first person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loci_dataplane.graph.extraction.rules import Language, Rule, Takes, cues, table

_LIVES: Final = Rule("lives_in", Takes.PLACE, exclusive=True)
_MOVED: Final = Rule("lives_in", Takes.PLACE, exclusive=True, event=True)
_WORKS: Final = Rule("works_at", Takes.ORGANISATION, exclusive=True)
_NAME: Final = Rule("name", Takes.NAME, exclusive=True)
_FROM: Final = Rule("from", Takes.PLACE)
_LIKES: Final = Rule("likes", Takes.PHRASE, slot="likes", opposite="dislikes")
_DISLIKES: Final = Rule("dislikes", Takes.PHRASE, slot="likes", opposite="likes")
_SPEAKS: Final = Rule("speaks", Takes.NAME)


def _language(  # noqa: PLR0913 - a language's word lists, each by its name
    rows: Mapping[str, Rule],
    *,
    first: str,
    skipped: str,
    negations: str,
    doubtful: str,
    joins: str,
    boundaries: str,
    subjectless: bool = False,
) -> Language:
    rules = table(rows.items(), {})
    return Language(
        first_person=frozenset(first.split()),
        skipped=frozenset(skipped.split()),
        negations=frozenset(negations.split()),
        doubtful=frozenset(doubtful.split()),
        boundaries=frozenset(f"{boundaries} {joins}".split()),
        joins=frozenset(joins.split()),
        verbs={},
        rules=rules,
        cues=cues(rules, {}),
        subjectless=subjectless,
    )


GERMAN: Final = _language(
    {
        "wohne in|lebe in|wohne jetzt in|lebe jetzt in": _LIVES,
        "ziehe nach|zog nach|umgezogen nach": _MOVED,
        "arbeite bei|arbeite für": _WORKS,
        "heiße|heisse": _NAME,
        "komme aus|bin aus": _FROM,
        "mag|liebe": _LIKES,
        "hasse": _DISLIKES,
        "spreche": _SPEAKS,
    },
    first="ich wir",
    skipped="jetzt gerade auch noch inzwischen seit kurzem bin",
    negations="nicht nie kein",
    doubtful="wenn falls ob als bevor",
    joins="und oder",
    boundaries="bei in aus mit für seit weil da wenn der die das ein eine nicht sehr mehr auch gerne zu am im ich",
)
SPANISH: Final = _language(
    {
        "vivo en|vivimos en": _LIVES,
        "me mudé a|nos mudamos a": _MOVED,
        "trabajo en|trabajo para": _WORKS,
        "me llamo": _NAME,
        "soy de": _FROM,
        "me gusta|me gustan|me encanta|me encantan": _LIKES,
        "odio|detesto": _DISLIKES,
        "hablo": _SPEAKS,
    },
    first="yo nosotros",
    skipped="ahora también ya siempre actualmente todavía",
    negations="no nunca",
    doubtful="si cuando ojalá como",
    joins="y e o",
    boundaries="en con por para desde porque que cuando el la los las un una mucho muy de del mi",
    subjectless=True,
)
FRENCH: Final = _language(
    {
        "habite à|habite en|vis à|vis en|vis au": _LIVES,
        "ai déménagé à|ai déménagé en|emménage à": _MOVED,
        "travaille chez|travaille pour": _WORKS,
        "m ' appelle": _NAME,
        "viens de": _FROM,
        "aime|adore": _LIKES,
        "déteste": _DISLIKES,
        "parle": _SPEAKS,
    },
    first="je j",
    skipped="' maintenant aussi toujours n ne",
    negations="n ne pas plus jamais",
    doubtful="si quand",
    joins="et ou",
    boundaries="à en chez avec pour depuis parce que quand le la les un une des du de beaucoup pas plus très mon ma",
)
PORTUGUESE: Final = _language(
    {
        "moro em|vivo em|moro no|moro na": _LIVES,
        "mudei para|me mudei para|mudei-me para": _MOVED,
        "trabalho na|trabalho no|trabalho para": _WORKS,
        "me chamo|chamo-me": _NAME,
        "sou de|sou do|sou da": _FROM,
        "gosto de|adoro|amo": _LIKES,
        "odeio|detesto": _DISLIKES,
        "falo": _SPEAKS,
    },
    first="eu nós",
    skipped="agora também já sempre atualmente ainda",
    negations="não nunca",
    doubtful="se quando como",
    joins="e ou",
    boundaries="em com por para desde porque que quando o a os as um uma muito de do da meu minha",
    subjectless=True,
)
ITALIAN: Final = _language(
    {
        "vivo a|abito a|abito in|vivo in": _LIVES,
        "mi sono trasferito a|mi sono trasferita a": _MOVED,
        "lavoro per|lavoro alla|lavoro in": _WORKS,
        "mi chiamo": _NAME,
        "sono di|vengo da": _FROM,
        "mi piace|mi piacciono|adoro|amo": _LIKES,
        "odio|detesto": _DISLIKES,
        "parlo": _SPEAKS,
    },
    first="io noi",
    skipped="ora adesso anche sempre attualmente ancora",
    negations="non mai",
    doubtful="se quando come",
    joins="e o",
    boundaries="a in con per da perché che quando il lo la i gli le un una molto di del mio mia",
    subjectless=True,
)
EUROPEAN: Final = (GERMAN, SPANISH, FRENCH, PORTUGUESE, ITALIAN)
