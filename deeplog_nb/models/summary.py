"""What a fitted value model's bounds rest on, and how often held-out normal entries exceed them, as a frame."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.models.fitted import Fitted
from deeplog_nb.sessions.series import ANY

BOUNDS: Final = {
    "key": pl.UInt32(),
    "before": pl.UInt32(),  # the key before it; 0 = the session's start, null = any
    "position": pl.String(),  # null where the whole vector is judged together
    "judged_by": pl.String(),
    "bound_by": pl.String(),
    "examples": pl.UInt32(),
    "held_out": pl.UInt32(),
    "bound": pl.Float64(),  # of the squared error, in training deviations
    "nominal": pl.Float64(),
    "held_rate": pl.Float64(),
}


def bounds_frame(fitted: Fitted) -> pl.DataFrame:
    """A row for each channel of a network, each robust bound that stands in for one, and each category checked."""
    parts = [_networks(fitted), _fall_backs(fitted), _categories(fitted)]
    return pl.concat([_shaped(part) for part in parts])


def _networks(fitted: Fitted) -> pl.DataFrame:
    bounds, groups = fitted.bounds, fitted.forecasters.groups
    series, at = np.nonzero(fitted.channels.numbers >= 0)
    if not fitted.channels.apart:
        series, first = np.unique(series, return_index=True)
        at = at[first]
    channel = fitted.channels.numbers[series, at]
    limits = bounds.bound()
    above = np.bincount(bounds.channels, weights=bounds.errors > limits[bounds.channels], minlength=len(limits))
    keys = pl.Series(groups.keys[series])
    names = fitted.layout.names(keys.cast(pl.UInt32), at)["worst"] if fitted.channels.apart else None
    told = pl.DataFrame({"key": keys, "before": groups.before[series], "examples": fitted.examples[series]})
    held = pl.Series(bounds.held[channel])
    return told.pipe(_before).with_columns(
        position=pl.lit(None, pl.String) if names is None else names,
        judged_by=pl.lit("network"),
        bound_by=pl.Series(np.array(bounds.methods, dtype=object)[channel].tolist(), dtype=pl.String),
        held_out=held,
        bound=pl.Series(limits[channel]),
        nominal=pl.lit(1 - bounds.confidence),
        held_rate=pl.Series(above[channel]) / held,
    )


def _fall_backs(fitted: Fitted) -> pl.DataFrame:
    """The robust bounds of sorts that no network judges."""
    fallen, groups = fitted.fallen, fitted.forecasters.groups
    alone = groups.numbers(fallen.keys, fallen.before) < 0
    numbers = fitted.robust.number
    which, at = np.nonzero(np.isfinite(numbers) & np.isfinite(fitted.robust.median) & alone[:, None])
    keys = pl.Series(fallen.keys[which], dtype=pl.Int64)
    told = pl.DataFrame({"key": keys, "before": fallen.before[which], "examples": numbers[which, at]})
    return told.pipe(_before).with_columns(
        position=fitted.layout.names(keys.cast(pl.UInt32), at)["worst"],
        judged_by=pl.lit("robust"),
        bound_by=pl.lit("pooled"),
        held_out=pl.lit(len(fitted.fallen_tails)),
        nominal=pl.lit(1 - fitted.settings.confidence),
    )


def _categories(fitted: Fitted) -> pl.DataFrame:
    return fitted.categories.positions.select(
        "key",
        position="name",
        judged_by=pl.lit("values"),
        bound_by=pl.lit("values seen in training"),
        nominal="rate",
    )


def _shaped(part: pl.DataFrame) -> pl.DataFrame:
    """The part with all columns; what it does not tell is null."""
    there = (pl.col(name) if name in part.columns else pl.lit(None).alias(name) for name in BOUNDS)
    return part.select(column.cast(kind) for column, kind in zip(there, BOUNDS.values(), strict=True))


def _before(told: pl.DataFrame) -> pl.DataFrame:
    return told.with_columns(before=pl.when(pl.col("before") != ANY).then("before"))
