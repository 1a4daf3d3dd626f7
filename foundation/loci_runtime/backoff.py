"""Exponential back-off with jitter, for every retry loop."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

_DOUBLINGS_MAX: Final = 30
"""Beyond this the delay is at its maximum anyway; an unbounded power would overflow a float."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a retry.

    Args:
        first: delay after the first failure, seconds.
        longest: upper bound of any delay, seconds.
    """

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many consecutive failures (1 or more), between half and all of the full delay.

        The jitter keeps clients that failed together from coming back together.
        """
        doublings = min(max(failures - 1, 0), _DOUBLINGS_MAX)
        return min(self.longest, self.first * 2.0**doublings) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
