"""What networks and robust bounds say of each entry, gathered and told as ERRORS in the log's own units.

It judges nothing by itself.

Axes: M entries, P places, D positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import ERRORS, check
from deeplog_nb.models.bounds import LEAST, NOISE, Bounds, fading, p_value, quantile
from deeplog_nb.models.categories import Categories
from deeplog_nb.models.channels import Channels
from deeplog_nb.models.forecasters import BLOCK, Forecasters
from deeplog_nb.models.robust import Robust
from deeplog_nb.sessions.series import Groups, Layout, Vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PLACE: Final = ("file", "line", "time")  # of the session's rows, carried to ERRORS where they are there


@dataclass(frozen=True)
class Told:
    """Error, bound and tail of each entry, the position that is worst, and what was expected there; NaN: not judged."""

    error: Floats  # [M], as are all
    bound: Floats
    tail: Floats
    worst: Ints
    expected: Floats
    seen: Floats
    reach: Floats

    def over(self, other: Told) -> Told:
        """What this says, and where it says nothing, the other."""
        mine = np.isfinite(self.tail)
        return Told(*(np.where(mine, a, b) for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def picked(self, rows: Ints) -> Told:
        """What is said of these entries alone."""
        return Told(*(values[rows] for values in vars(self).values()))

    def among(self, rows: Ints, size: int) -> Told:
        """The same where these entries are rows of so many; of the others nothing is said."""
        spread = {
            name: np.full(size, 0 if name == "worst" else np.nan, values.dtype) for name, values in vars(self).items()
        }
        for name, values in vars(self).items():
            spread[name][rows] = values
        return Told(**spread)


@dataclass(frozen=True)
class Held:
    """What robust bounds told of held-out normal entries."""

    scores: tuple[Floats, float]  # rising, and how fast the tail of the largest goes on falling

    @classmethod
    def of(cls, tails: Floats) -> Held:
        """The scores of these tails of Student's t."""
        known = np.sort(_surprise(tails))
        return cls((known, fading(known)))

    def chance(self, confidence: float) -> float:
        """The chance at which a robust bound states the confidence."""
        known, fade = self.scores
        return math.exp(-max(quantile(known, 1 - confidence, fade), 0.0))


def by_network(
    forecasters: Forecasters, channels: Channels, bounds: Bounds, vectors: Vectors, numbers: Ints, block: int = BLOCK
) -> Told:
    """What the networks say of the entries that have one."""
    forecast, scales = forecasters.forecast(vectors, numbers, block), forecasters.scales
    error, bound, tail, worst = channels.judge(forecast.squares, forecast.series, bounds)
    at = forecast.series, worst
    expected = forecast.expected[np.arange(len(worst)), worst] * scales.deviation[at] + scales.mean[at]
    reach = np.sqrt(bound) * scales.deviation[at] if channels.apart else np.full(len(bound), np.nan)
    return _gather(vectors, forecast.entries, error, bound, tail, worst, expected, reach)


def by_robust(robust: Robust, groups: Groups, vectors: Vectors, confidence: float, held: Held | None = None) -> Told:
    """What the robust bounds say of the entries whose sort they know.

    With ``held``, Student's tail is taken for a score, whose conformal p-value is the tail.
    """
    numbers = groups.numbers(vectors.keys, vectors.before)
    entries = np.flatnonzero(numbers >= 0)
    held = held or Held.of(np.array([]))
    known, fade = held.scores
    chance = held.chance(confidence)
    error, bound, tail, worst = robust.judge(vectors.values[entries], numbers[entries], chance)
    asked = _surprise(tail) - (NOISE if len(known) else 0.0)
    tail = np.where(np.isfinite(tail), p_value(known, asked, fade), np.nan)
    at = numbers[entries], worst
    return _gather(vectors, entries, error, bound, tail, worst, robust.median[at], np.sqrt(bound) * robust.spread[at])


def robust_chance(held: Floats | None, confidence: float) -> float:
    """The chance at which a robust bound states the confidence, by the tails that it told of held-out entries."""
    return Held.of(np.array([]) if held is None else held).chance(confidence)


def errors_frame(sessions: pl.DataFrame, told: Told, layout: Layout, categories: Categories) -> pl.DataFrame:
    """ERRORS of these sessions; a value that its category never had stands before a forecast that was exceeded."""
    judged = pl.Series(np.isfinite(told.tail))
    names = layout.names(sessions["key"], told.worst)
    numbers = {
        name: pl.Series(getattr(told, name), nan_to_null=True)
        for name in ("error", "bound", "tail", "expected", "seen", "reach")
    }
    place = [name for name in _PLACE if name in sessions.columns]
    frame = sessions.select("session", "position", "key", *place).with_columns(**numbers).hstack(names)
    blank = frame.with_columns(pl.when(judged).then(name).alias(name) for name in ("worst", "unit"))
    new = categories.unseen(sessions)
    marked = blank.with_row_index("row").join(new, on="row", how="left", maintain_order="left")
    is_new = pl.col("text").is_not_null()
    finished = marked.with_columns(
        worst=pl.coalesce("name", "worst"),
        tail=pl.coalesce("rate", "tail"),
        **{name: pl.when(~is_new).then(name) for name in ("error", "bound", "expected", "seen", "reach", "unit")},
    )
    return check(finished.select(*(pl.col(name).cast(kind) for name, kind in ERRORS.items()), *place), ERRORS, "errors")


def _surprise(tail: Floats) -> Floats:
    surprise: Floats = -np.log(np.maximum(np.nan_to_num(tail, nan=1.0), LEAST))
    return surprise


def _gather(
    vectors: Vectors,
    entries: Ints,
    error: Floats,
    bound: Floats,
    tail: Floats,
    worst: Ints,
    expected: Floats,
    reach: Floats,
) -> Told:
    def spread(values: Floats) -> Floats:
        told = np.full(len(vectors.keys), np.nan)
        told[entries] = values
        return told

    at = np.zeros(len(vectors.keys), np.int64)
    at[entries] = worst
    seen = vectors.values[entries, worst]
    return Told(spread(error), spread(bound), spread(tail), at, spread(expected), spread(seen), spread(reach))
