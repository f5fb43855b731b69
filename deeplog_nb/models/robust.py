"""A robust bound for each position by itself: how far from the median is too far. No network, no order.

The fall-back where a series has too few examples for a network, and, fitted to all of them, the baseline that a
value model has to beat.

Arrays only. Axes: G groups, D positions, P entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from deeplog_nb.sessions.series import members

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CONSISTENT: Final = 1.4826  # makes the median absolute deviation of a Gaussian its deviation
FARTHEST: Final = 1e15  # deviations to which what is judged is drawn in: its square is still a 32-bit float
LARGE: Final = 1e6  # examples from which Student's t is a Gaussian


@dataclass(frozen=True)
class Robust:
    """Median, spread and number of the training values of each group; NaN where a position is not judged."""

    median: Floats  # [G, D]
    spread: Floats  # [G, D]
    number: Floats  # [G, D]
    tick: Floats  # [G, D] one step of the log's resolution, which no spread is less than

    def drawn_in(self, values: Floats, groups: Ints, chance: float) -> Floats:
        """The values [P, D], none farther from the median than its bound for that chance; as they are where none is."""
        median, number = self.median[groups], self.number[groups]
        there = np.isfinite(median) & np.isfinite(values)
        many = np.maximum(there.sum(1, keepdims=True), 1)
        freedom = np.where(there, np.maximum(number - 1, 1.0), 1.0)
        reach = _deviation(np.broadcast_to(chance / many, freedom.shape).copy(), freedom) * self.spread[groups]
        return np.where(there, np.clip(values, median - reach, median + reach), values)

    def judge(self, values: Floats, groups: Ints, chance: float) -> tuple[Floats, Floats, Floats, Ints]:
        """Squared deviation, its bound for that chance and its tail [P] at the position [P] that deviates the most.

        The tail is Student's t's; of k positions each gets the k-th part of the chance.
        """
        z = np.minimum(np.abs(values - self.median[groups]) / self.spread[groups], FARTHEST)  # [P, D]
        there, freedom = np.isfinite(z), np.maximum(self.number[groups] - 1, 1.0)
        told = np.where(there, _chance(np.where(there, z, 0.0), np.where(there, freedom, 1.0)), np.inf)
        worst, many = told.argmin(1), np.maximum(there.sum(1), 1)
        at = np.arange(len(z)), worst
        judged = there.any(1)
        limit = _deviation(chance / many, np.where(judged, freedom[at], 1.0)) ** 2
        tail = np.minimum(np.where(judged, told[at], 1.0) * many, 1.0)
        error, bound, known = (np.where(judged, each, np.nan) for each in (z[at] ** 2, limit, tail))
        return error, bound, known, worst


def fit_robust(values: Floats, groups: Ints, ticks: Floats, *, least: int, careful: bool = True) -> Robust:
    """Medians and spreads of the groups; NaN where a position has fewer than ``least`` values.

    The spread is the median absolute deviation, never less than ``ticks`` [G, D], one step of the log's resolution.
    ``careful`` also takes no less than the deviation, and allows for so few values (a prediction interval).

    >>> few = fit_robust(np.array([[1.0], [2.0], [3.0]]), np.zeros(3, int), np.full((1, 1), 0.1), least=3)
    >>> [round(float(each[0, 0]), 4) for each in (few.median, few.spread)]
    [2.0, 1.712]
    """
    median, spread, counts = (np.full(ticks.shape, np.nan) for _ in range(3))
    for group, rows in enumerate(members(groups, len(ticks))):
        for at, mine in enumerate(values[rows].T):
            known = mine[np.isfinite(mine)]
            if len(known) >= least:
                median[group, at] = np.median(known)
                spread[group, at] = _spread(known, float(ticks[group, at]), careful=careful)
                counts[group, at] = len(known) if careful else LARGE
    return Robust(median, spread, counts, ticks)


def _spread(known: Floats, tick: float, *, careful: bool) -> float:
    typical = max(CONSISTENT * float(np.median(np.abs(known - np.median(known)))), tick)
    if not careful:
        return typical
    return max(typical, float(known.std(ddof=1))) * float(np.sqrt(1 + 1 / len(known)))


def _chance(t: Floats, freedom: Floats) -> Floats:
    """Two-sided chance of Student's t, by the normal score of the same chance (Wallace, 1959)."""
    z = _narrow(freedom) * np.sqrt(freedom * np.log1p(t**2 / freedom))
    chance: Floats = torch.special.erfc(torch.from_numpy(z / np.sqrt(2))).numpy()
    return chance


def _deviation(chance: Floats, freedom: Floats) -> Floats:
    """The t of that two-sided chance: the inverse."""
    z = -torch.special.ndtri(torch.from_numpy(chance / 2)).numpy()
    deviation: Floats = np.sqrt(freedom * np.expm1(np.minimum((z / _narrow(freedom)) ** 2 / freedom, 700.0)))
    return deviation


def _narrow(freedom: Floats) -> Floats:
    narrow: Floats = (8 * freedom + 1) / (8 * freedom + 3)
    return narrow
