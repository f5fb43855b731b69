"""One log as its own normal part: the first half is learnt from, what ends after it is judged.

Whole sessions are judged, also those that began in the first half; no line of the second half is learnt.
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import InputError, check

_LINE = ("file", "line")


def first_half(lines: pl.DataFrame, share: float = 0.5) -> pl.DataFrame:
    """The lines of the first ``share`` of the log's time span; where no line states a time, of its lines.

    >>> from datetime import datetime
    >>> lines = pl.DataFrame({"line": [1, 2, 3], "time": [datetime(2026, 3, 2, hour) for hour in (8, 9, 18)]})
    >>> first_half(lines)["line"].to_list()
    [1, 2]
    """
    if not 0 < share < 1:
        raise InputError(f"share is {share}; it must lie between 0 and 1")
    if not has_times(check(lines, {}, "lines")):
        return lines.head(int(len(lines) * share))
    clock = pl.col("time").forward_fill().backward_fill()  # a line without a time goes with the one above it
    clock = clock.over("file") if "file" in lines.columns else clock
    first, last = pl.col("time").min(), pl.col("time").max()
    return lines.filter(clock < first + (last - first) * share)


def has_times(lines: pl.DataFrame) -> bool:
    """Whether any of the lines states a time."""
    return "time" in lines.columns and lines["time"].null_count() < len(lines)


def second_half(judged: pl.DataFrame, first: pl.DataFrame, *, whole_sessions: bool = True) -> pl.DataFrame:
    """The rows whose session has a line outside the first half; or only the rows outside it."""
    outside = judged.join(first.select(_LINE), on=_LINE, how="anti", maintain_order="left")
    if not whole_sessions:
        return outside
    later = pl.col("session").is_in(outside["session"].drop_nulls().unique().implode())
    alone = pl.struct(_LINE).is_in(
        outside.filter(pl.col("session").is_null()).select(pl.struct(_LINE)).to_series().implode()
    )
    return judged.filter(pl.when(pl.col("session").is_null()).then(alone).otherwise(later))
