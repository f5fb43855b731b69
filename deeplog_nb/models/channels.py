"""What is judged together: each position of a series by itself, or the mean over its whole vector as in the paper.

Arrays only. Axes: S series, D positions, P places, K channels that one vector has (D apart, 1 together).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deeplog_nb.models.bounds import Bounds, Errors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Channels:
    """The number of the channel that each position of each series belongs to; -1 where it was never seen to move."""

    numbers: Ints  # [S, D]
    apart: bool

    def split(self, squares: Floats, series: Ints) -> tuple[Floats, Ints]:
        """Errors [P, K] of squared errors [P, D], NaN where there is none, and the channel of each [P, K]."""
        numbers = self.numbers[series]  # [P, D]
        there = np.isfinite(squares) & (numbers >= 0)
        if self.apart:
            return np.where(there, squares, np.nan), numbers
        total, count = np.where(there, squares, 0.0).sum(1, keepdims=True), there.sum(1, keepdims=True)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan), numbers.max(1, keepdims=True)

    def flat(self, squares: Floats, series: Ints) -> Errors:
        """The errors that there are, and the channel of each."""
        errors, numbers = self.split(squares, series)
        there = np.isfinite(errors)
        return errors[there], numbers[there]

    def roots(self, ticks: Floats) -> Floats:
        """The root error [C] of one step of the resolution, of steps [S, D] in deviations."""
        count = int(self.numbers.max(initial=-1)) + 1
        there = self.numbers >= 0
        total = np.bincount(self.numbers[there], weights=ticks[there] ** 2, minlength=count)
        mean: Floats = total / np.maximum(np.bincount(self.numbers[there], minlength=count), 1)
        return np.sqrt(mean)

    def judge(self, squares: Floats, series: Ints, bounds: Bounds) -> tuple[Floats, Floats, Floats, Ints]:
        """Error, bound and tail [P] of the channel that is the least probable, and the worst position [P].

        Of k channels each gets the k-th part of the chance (Bonferroni): the tail is the whole vector's. Where several
        exceed their bound, a value that the message states goes before the wait, which it may explain.
        """
        errors, numbers = self.split(squares, series)
        there, tails = np.isfinite(errors), np.full(errors.shape, np.inf)
        tails[there] = bounds.tail(errors[there], numbers[there])
        rows, many = np.arange(len(errors)), there.sum(1)
        chance = (1 - bounds.confidence) / np.maximum(many, 1)
        if self.apart:
            stated = (tails[:, 1:] <= chance[:, None]).any(1)
            tails[stated, 0] = np.inf
        best = tails.min(1, keepdims=True, initial=np.inf)
        column = np.where(tails == best, np.nan_to_num(errors, nan=-1.0), -np.inf).argmax(1)  # a tie goes to the larger
        worst = column if self.apart else np.where(np.isfinite(squares), squares, -1.0).argmax(1)
        limits = np.full(len(errors), np.nan)
        for checks in np.unique(many[many > 0]):
            mine = many == checks
            limits[mine] = bounds.bound(1 - (1 - bounds.confidence) / checks)[numbers[rows, column][mine]]
        judged = many > 0
        tail = np.where(judged, np.minimum(tails[rows, column] * np.maximum(many, 1), 1.0), np.nan)
        return np.where(judged, errors[rows, column], np.nan), limits, tail, worst


def channels(series: int, moving: npt.NDArray[np.bool_], *, apart: bool) -> Channels:
    """Channels of these series; ``moving`` [S, D] says which positions were there in training.

    >>> channels(2, np.array([[True, False], [True, True]]), apart=True).numbers.tolist()
    [[0, -1], [1, 2]]
    >>> channels(2, np.array([[True, False], [True, True]]), apart=False).numbers.tolist()
    [[0, -1], [1, 1]]
    """
    if apart:
        numbers = np.where(moving, moving.cumsum().reshape(moving.shape) - 1, -1)
    else:
        numbers = np.where(moving, np.arange(series)[:, None], -1)
    return Channels(numbers.astype(np.int64), apart)
