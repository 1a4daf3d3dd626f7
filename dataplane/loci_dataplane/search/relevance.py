"""From evidence to a score: an absolute estimate of relevance, from 0 to 1.

`THRESHOLD` is chosen: a paraphrase that shares no word with the query and has a cosine of 0.807, 0.023 below the centre
of the default model's curve, just reaches 0.3. From there the score grows with the square of the evidence, since the
precision of results does: slowly where many share a word or a topic with the query, and fast near its repetition
(`make bench-quality` reports precision and recall at some scores). Evidence is given as a share of what the query can
reach: more where it names a speaker. A memory that holds a word of the query, other than a stop word, never scores
below 0.3.
"""

from __future__ import annotations

from typing import Final

UNRELATED: Final = 0.3
"""The score that only related memories reach."""
THRESHOLD: Final = 0.14
"""The evidence with that score: chosen."""
FULL: Final = 1.05
"""The evidence with the score 1; neighbours can add a little more than a memory that stands alone reaches."""
_WORD: Final = 0.05
"""Width of the range of scores, from 0.3 on, for memories that hold a word but have little other evidence."""
_CEILING: Final = 1e-3
"""Evidence beyond `FULL` raises the score by less than this, so that the order stays."""


def score(evidence: float, *, holds_word: bool) -> float:
    """The score for evidence, which is 0 or more; it grows with the evidence."""
    if evidence > THRESHOLD:
        share = min(1.0, (evidence - THRESHOLD) / (FULL - THRESHOLD))
        beyond = max(0.0, evidence - FULL)
        related = UNRELATED + (1 - UNRELATED - _CEILING) * share**2 + _CEILING * beyond / (1 + beyond)
    else:
        related = UNRELATED * evidence / THRESHOLD * 0.999  # less than 0.3, but for those that hold a word
    return max(related, UNRELATED + _WORD * min(1.0, evidence)) if holds_word else related
