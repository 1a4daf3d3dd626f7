"""From evidence to a score: an absolute estimate of relevance, from 0 to 1.

The constants come from `make bench-calibration`; docs/benchmarks.md tells what scores mean. Evidence up to `THRESHOLD`
scores less than 0.3: half of the questions find no more in a conversation that has nothing to say on them, though it
is about similar things; queries on other subjects find less. Beyond it the score approaches 1, and is 0.8 where
precision no longer grows. A memory that holds a word of the query, other than
a stop word, never scores below 0.3.
"""

from __future__ import annotations

import math
from typing import Final

UNRELATED: Final = 0.3
"""The score that only related memories reach."""
THRESHOLD: Final = 0.25
"""The evidence with that score."""
SCALE: Final = 0.43
"""The evidence beyond the threshold at which the score is 63 % of the way to 1."""
_WORD: Final = 0.05
"""Width of the range of scores, from 0.3 on, for memories that hold a word but have little other evidence."""


def score(evidence: float, *, holds_word: bool) -> float:
    """The score for evidence, which is 0 or more; it grows with the evidence."""
    if evidence > THRESHOLD:
        related = UNRELATED + (1 - UNRELATED) * (1 - math.exp((THRESHOLD - evidence) / SCALE))
    else:
        related = UNRELATED * evidence / THRESHOLD * 0.999  # less than 0.3, but for those that hold a word
    return max(related, UNRELATED + _WORD * min(1.0, evidence)) if holds_word else related
