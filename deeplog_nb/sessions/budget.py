"""How many of the normal sessions may be flagged: the one reading of a ``rate`` that all bounds share."""

from __future__ import annotations

import math

SURE = 0.99  # chance explains what it would exceed no more often than one time in a hundred


def allowed(total: int, rate: float) -> int:
    """So many of ``total`` held-out normal sessions may be flagged at this rate.

    Where less than one is expected, as many as chance explains (Poisson, 99 %): of 100 sessions at a rate of one in
    a thousand, one may be a novelty.

    >>> allowed(4855, 1e-3), allowed(100, 1e-3)
    (4, 1)
    """
    expected = total * rate
    return math.floor(expected) if expected >= 1 else _by_chance(expected)


def _by_chance(expected: float) -> int:
    """How many may be flagged where ``expected`` are, before we say that they are more."""
    chance = reached = math.exp(-expected)
    flagged = 0
    while reached < SURE:
        flagged += 1
        chance *= expected / flagged
        reached += chance
    return flagged
