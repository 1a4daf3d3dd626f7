"""From evidence to a score: an absolute estimate of relevance, from 0 to 1.

Its constants are chosen. `THRESHOLD`: a paraphrase that shares no word with the query and has a cosine of 0.807, 0.023
below the centre of the default model's curve, just reaches 0.3. `SCALE`: what nearly repeats a memory that stands alone
scores more than 0.8. A memory that holds a word of the query, other than a stop word, never scores below 0.3.
"""

from __future__ import annotations

import math
from typing import Final

UNRELATED: Final = 0.3
"""The score that only related memories reach."""
THRESHOLD: Final = 0.14
"""The evidence with that score: chosen."""
SCALE: Final = 0.43
"""The evidence beyond the threshold at which the score is 63 % of the way to 1: chosen."""
_WORD: Final = 0.05
"""Width of the range of scores, from 0.3 on, for memories that hold a word but have little other evidence."""


def score(evidence: float, *, holds_word: bool) -> float:
    """The score for evidence, which is 0 or more; it grows with the evidence."""
    if evidence > THRESHOLD:
        related = UNRELATED + (1 - UNRELATED) * (1 - math.exp((THRESHOLD - evidence) / SCALE))
    else:
        related = UNRELATED * evidence / THRESHOLD * 0.999  # less than 0.3, but for those that hold a word
    return max(related, UNRELATED + _WORD * min(1.0, evidence)) if holds_word else related
