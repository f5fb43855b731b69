"""How many of the normal sessions may be flagged: the one reading of a ``rate`` that all bounds share."""

from __future__ import annotations

import math

SURE = 0.99  # chance explains what it would exceed no more often than one time in a hundred


def allowed(total: int, rate: float) -> int:
    """So many of ``total`` held-out normal sessions may be flagged at this rate: more at a higher one, never fewer.

    Where less than one is expected, one if chance explains one (Poisson, 99 %): of 100 sessions at a rate of one in
    a thousand, one may be a novelty; of ten it may not.

    >>> allowed(4855, 1e-3), allowed(100, 1e-3), allowed(10, 1e-3)
    (4, 1, 0)
    """
    expected = total * rate
    return max(math.floor(expected), int(math.exp(-expected) < SURE))
