"""How far F1 could have come out otherwise: resamples of the distinct key sequences, repeats going along.

Repeats of a session are one piece of evidence, not thousands, so whole sequences are drawn, never single sessions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

DRAWS: Final = 200
SHARE: Final = 0.95  # of the resamples that lie in the interval
_SEED: Final = 17


def f1_interval(cells: pl.DataFrame) -> tuple[float, float]:
    """The range in which F1 lies for 95 % of the resamples; not-a-number where there is no F1.

    ``cells`` has ``sequence, tp, fp, fn``. Each sequence is taken a Poisson(1) number of times.

    >>> cells = pl.DataFrame({"sequence": [0, 1, 2], "tp": [9, 9, 0], "fp": [0, 0, 3], "fn": [0, 0, 0]})
    >>> low, high = f1_interval(cells)
    >>> low < 18 / 19.5 < high
    True
    """
    counted = cells.filter(pl.sum_horizontal("tp", "fp", "fn") > 0).group_by("sequence", maintain_order=True)
    found = (
        counted.agg(pl.col("tp", "fp", "fn").sum())
        .sort("sequence")
        .select("tp", "fp", "fn")
        .to_numpy()
        .astype(np.float64)
    )  # [S, 3]
    if not len(found):
        return float("nan"), float("nan")
    drawn = _weights(len(found)) @ found  # [DRAWS, 3]
    whole = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
    scores = 2 * drawn[whole > 0, 0] / whole[whole > 0]
    low, high = np.quantile(scores, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


@lru_cache(maxsize=8)
def _weights(size: int) -> npt.NDArray[np.float64]:
    """How often each resample takes each sequence: [DRAWS, size]; kept, for many tables ask for the same."""
    return np.random.default_rng(_SEED).poisson(1.0, (DRAWS, size)).astype(np.float64)
