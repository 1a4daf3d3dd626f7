"""English: the verb phrases that state a fact. Forms are given without inflection (`live in`, `be from`)."""

from __future__ import annotations

from typing import Final

from loci_dataplane.graph.extraction.rules import Language, Rule, Takes, cues, table
from loci_dataplane.graph.extraction.words import FUNCTION, word_set

_LIVES = Rule("lives_in", Takes.PLACE, exclusive=True)
_MOVED = Rule("lives_in", Takes.PLACE, exclusive=True, event=True)
_WORKS = Rule("works_at", Takes.ORGANISATION, exclusive=True)
_HIRED = Rule("works_at", Takes.ORGANISATION, exclusive=True, event=True)
_QUIT = Rule("works_at", Takes.ORGANISATION, ends=True, event=True, optional=True)
_JOB = Rule("works_as", Takes.OCCUPATION, exclusive=True)
_LIKES = Rule("likes", Takes.PHRASE, slot="likes", opposite="dislikes")
_DISLIKES = Rule("dislikes", Takes.PHRASE, slot="likes", opposite="likes")


def _status(value: str, *, event: bool = False) -> Rule:
    return Rule("relationship_status", Takes.NOTHING, exclusive=True, event=event, value=value)


def _diet(value: str) -> Rule:
    return Rule("diet", Takes.NOTHING, exclusive=True, value=value)


_ROWS: Final = (
    (
        (
            "live in|living in|have lived in|has lived in|'ve lived in|"
            "reside in|be based in|live near|settle in|stay based in"
        ),
        _LIVES,
    ),
    ("move to|moving to|move back to|move over to|move into|relocate to|relocating to|settle down in", _MOVED),
    ("move out of|leave behind", Rule("lives_in", Takes.PLACE, ends=True, event=True)),
    (
        (
            "work at|work for|have worked at|have worked for|has worked at|"
            "has worked for|'ve worked at|working at|working for|be employed by|be employed at"
        ),
        _WORKS,
    ),
    ("get a job at|get a new job at|start work at|start working at|start working for|join", _HIRED),
    ("start a job at|start a new job at|start at|was hired by|get hired by|get hired at|accept a job at", _HIRED),
    (
        "quit my job|lose my job|leave my job|be laid off|was laid off|get laid off|get fired|was fired|retire|resign",
        _QUIT,
    ),
    (
        (
            "quit my job at|lose my job at|leave my job at|"
            "was laid off from|be laid off from|get fired from|was fired from"
        ),
        _QUIT,
    ),
    ("retire from|resign from|quit working at|quit working for|stop working at|stop working for", _QUIT),
    ("work as|working as|be|become|get a job as|start working as|get promoted to|was promoted to", _JOB),
    ("be called|go by|be named", Rule("name", Takes.NAME, exclusive=True)),
    ("call me", Rule("name", Takes.NAME, exclusive=True)),
    ("change my name to|rename myself", Rule("name", Takes.NAME, exclusive=True, event=True)),
    ("be from|come from|hail from|originally from", Rule("from", Takes.PLACE)),
    ("was born in", Rule("born_in", Takes.PLACE)),
    ("grow up in", Rule("grew_up_in", Takes.PLACE)),
    ("was born on", Rule("birthday", Takes.DATE, exclusive=True)),
    ("turn", Rule("age", Takes.NUMBER, exclusive=True, event=True)),
    ("be", Rule("age", Takes.NUMBER, exclusive=True)),
    ("study at|go to school at|be enrolled at", Rule("studies_at", Takes.ORGANISATION, exclusive=True)),
    ("graduate from", Rule("graduated_from", Takes.ORGANISATION, event=True)),
    ("study|studying|major in|majoring in", Rule("studies", Takes.PHRASE)),
    ("be single", _status("single")),
    ("be married", _status("married")),
    ("be divorced", _status("divorced")),
    ("be engaged", _status("engaged")),
    ("get married", _status("married", event=True)),
    ("get divorced", _status("divorced", event=True)),
    ("get engaged", _status("engaged", event=True)),
    ("be married to|marry|get married to", Rule("married_to", Takes.PERSON, exclusive=True, event=True)),
    ("be dating|date|start dating", Rule("dating", Takes.PERSON, exclusive=True, event=True)),
    ("break up with|split up with", Rule("dating", Takes.PERSON, ends=True, event=True)),
    ("divorce", Rule("married_to", Takes.PERSON, ends=True, event=True)),
    ("be vegetarian|be a vegetarian|become vegetarian|become a vegetarian|go vegetarian", _diet("vegetarian")),
    ("be vegan|be a vegan|become vegan|become a vegan|go vegan", _diet("vegan")),
    ("be pescatarian|be a pescatarian|become pescatarian|become a pescatarian", _diet("pescatarian")),
    ("be allergic to", Rule("allergic_to", Takes.PHRASE)),
    ("speak", Rule("speaks", Takes.NAME)),
    ("play|playing", Rule("plays", Takes.PHRASE)),
    ("drive a|drive an|drive my", Rule("drives", Takes.NAME, exclusive=True)),
    ("adopt a|adopt an|get a new pet|adopt", Rule("adopted", Takes.PHRASE, event=True)),
    ("buy a|buy an|buy some|buy", Rule("bought", Takes.PHRASE, event=True)),
    ("visit|travel to|fly to|take a trip to|go on a trip to|be to", Rule("visited", Takes.PLACE, event=True)),
    ("like|love|enjoy|adore|be into|be fond of|be passionate about|be a fan of|be a big fan of", _LIKES),
    ("be crazy about|be obsessed with|be keen on", _LIKES),
    ("hate|dislike|detest|despise|can't stand|cannot stand|can n't stand|ca n't stand", _DISLIKES),
    ("prefer", Rule("prefers", Takes.PHRASE)),
    ("switch to", Rule("prefers", Takes.PHRASE, exclusive=True, event=True)),
)
_FORMS: Final = {
    "be": "am is are been 'm 're 's",
    "live": "lives",
    "reside": "resides",
    "settle": "settled settles",
    "move": "moved moves",
    "relocate": "relocated relocates",
    "work": "works",
    "get": "gets got gotten",
    "start": "started starts starting",
    "join": "joined joins joining",
    "quit": "quits quitting",
    "lose": "lost loses",
    "leave": "left leaves leaving",
    "retire": "retired retires",
    "resign": "resigned resigns",
    "stop": "stopped stops",
    "become": "became becomes",
    "call": "called",
    "name": "named",
    "go": "goes went",
    "come": "comes",
    "hail": "hails",
    "grow": "grew",
    "turn": "turned turns turning",
    "study": "studies studied",
    "graduate": "graduated",
    "major": "majors majored",
    "marry": "married",
    "date": "dating",
    "break": "broke",
    "split": "splits",
    "divorce": "divorced",
    "speak": "speaks",
    "play": "plays",
    "drive": "drives",
    "adopt": "adopted adopts",
    "buy": "bought buys",
    "visit": "visited",
    "travel": "traveled travelled",
    "fly": "flew",
    "take": "took",
    "like": "likes",
    "love": "loves",
    "enjoy": "enjoys",
    "adore": "adores",
    "hate": "hates",
    "dislike": "dislikes",
    "detest": "detests",
    "despise": "despises",
    "prefer": "prefers preferred",
    "switch": "switched switches",
    "change": "changed",
    "accept": "accepted",
}
_VERBS: Final = {form: verb for verb, forms in _FORMS.items() for form in forms.split()}
_RULES: Final = table(_ROWS, _VERBS)
_BOUNDARIES: Final = FUNCTION - frozenset({"of", "up", "out"}) | word_set(
    "especially lately recently anymore instead named called"
)

ENGLISH: Final = Language(
    first_person=frozenset({"i", "we"}),
    skipped=word_set(
        "just recently now currently finally actually really still also always already officially absolutely totally "
        "even only mostly usually mainly both definitely so truly do 've have has 's 'm am is are be been 're honestly "
        "originally lately today yesterday all personally generally typically particularly especially did does"
    ),
    negations=frozenset({"n't", "not", "no", "longer", "never", "stopped", "nt"}),
    doubtful=word_set(
        "if whether wish imagine suppose unless when until before while once would could might maybe perhaps should "
        "think guess hope hopes hoped wonder pretend dream dreamed dreamt as said like where how why what"
    ),
    boundaries=_BOUNDARIES,
    joins=frozenset({"and", "or", "but", "&"}),
    verbs=_VERBS,
    rules=_RULES,
    cues=cues(_RULES, _VERBS),
)
