"""Exponential back-off with jitter, shared by all retry loops."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

_DOUBLINGS_MAX: Final = 30
"""Cap of the exponent: the delay has reached its maximum by then, and a larger power would overflow a float."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Parameters of exponential back-off.

    Args:
        first: delay after the first failure, seconds.
        longest: maximum delay, seconds.
    """

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Delay in seconds after this many consecutive failures (at least 1): 50 to 100 % of the full delay.

        The jitter prevents clients that failed together from retrying at the same time.
        """
        doublings = min(max(failures - 1, 0), _DOUBLINGS_MAX)
        return min(self.longest, self.first * 2.0**doublings) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
