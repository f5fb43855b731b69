"""Physical lines -> LINES: cuts the fields out, infers the year, sets the flags; ``folding`` joins continuations.

Works on one block of a file at a time and is told what the block before it ended with, so that a
file of any size gives the same records as if it had been read at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final

import polars as pl

from deeplog_nb.frames import FLAGS, LINES, TIME
from deeplog_nb.lines.blocks import PHYSICAL
from deeplog_nb.lines.fields import with_fields
from deeplog_nb.lines.folding import CONTINUING, NEXT_PART, PART, RECORD, fold, kinds
from deeplog_nb.lines.layouts import Layout

ROLLOVER: Final = pl.duration(days=183)  # a clock that falls back by more has passed New Year; one that leaps is late


@dataclass(frozen=True)
class Before:
    """What the blocks before this one ended with."""

    year: int  # of the last record, for layouts without one
    time: datetime | None = None  # of the last record
    lines: int = 0  # physical lines so far
    bytes: int = 0  # of the text so far
    latest: datetime | None = None  # the first record is no later, where ``year`` is only this date's


def cut(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Physical lines with their fields by the layout; each stands alone, so blocks may be cut side by side."""
    found = with_fields(lines, layout)
    in_messages = layout.traces == "messages"
    if found["matched"].all() and not in_messages:
        return found.with_columns(continues=pl.lit(RECORD, pl.UInt8)).drop("text")
    found = found.pipe(_keep_whole_line_where_unmatched)
    looked_at = pl.repeat(in_messages, len(found), eager=True) | (~found["matched"] & layout.folds)
    continues = pl.repeat(RECORD, len(found), dtype=pl.UInt8, eager=True)
    looks = kinds(found["message"].filter(looked_at), layout.continues)
    return found.with_columns(continues=_parts(found, continues.scatter(looked_at.arg_true(), looks), layout)).drop(
        "text"
    )


def _parts(lines: pl.DataFrame, kind: pl.Series, layout: Layout) -> pl.Series:
    """The kinds, with those of lines that go on in the next one."""
    if not layout.partial:
        return kind
    parts = lines["matched"] & lines["text"].str.contains(layout.partial)
    known = pl.DataFrame({"kind": kind, "part": parts}).select(
        pl.when("part")
        .then(pl.when(pl.col("kind").is_in(CONTINUING)).then(NEXT_PART).otherwise(PART))
        .otherwise("kind")
    )
    return known.to_series().cast(pl.UInt8)


def to_records(lines: pl.DataFrame, layout: Layout, before: Before) -> pl.DataFrame:
    """LINES without ``file``, plus ``physical``, of lines that were cut and marked (see ``folding``)."""
    records = lines.with_row_index("line", before.lines + 1).pipe(fold)
    if layout.lacks_year:
        records = records.pipe(_infer_year, before)
    return records.pipe(_flag, layout, before)


def last_of(records: pl.DataFrame, before: Before) -> Before:
    """What a block that ended with these records leaves for the next one."""
    times = records["time"].drop_nulls()
    lines, size = before.lines + int(records["physical"].sum()), before.bytes + int(records["length"].sum())
    if not len(times):
        return replace(before, lines=lines, bytes=size)
    return Before(year=times[-1].year, time=times[-1], lines=lines, bytes=size)


def _keep_whole_line_where_unmatched(frame: pl.DataFrame) -> pl.DataFrame:
    own = [name for name in frame.columns if name not in (*PHYSICAL, "matched", "continues", "message")]
    return frame.with_columns(
        pl.when("matched").then("message").otherwise("text").alias("message"),
        *(pl.when("matched").then(name).alias(name) for name in own),
    )


def _infer_year(frame: pl.DataFrame, before: Before) -> pl.DataFrame:
    """The time has year 1972 (a leap year) so far; each fall back by half a year is a New Year.

    A leap ahead by as much is a line from before the New Year that came late.
    """
    last = pl.lit(before.time.replace(year=1972) if before.time else None, TIME)
    known = pl.col("time").forward_fill().fill_null(last)
    fall = known.shift(1).fill_null(last) - known
    turns = (fall > ROLLOVER).cast(pl.Int32) - (fall < -ROLLOVER).cast(pl.Int32)
    year = _first_year(frame["time"], before) + turns.fill_null(0).cum_sum()
    return frame.with_columns(time=_in_year(pl.col("time"), year))


def _first_year(times: pl.Series, before: Before) -> int:
    """The year to count from: one earlier where the log would else begin after the file's own date."""
    first = times.drop_nulls().first()
    if before.latest is None or before.time is not None or not isinstance(first, datetime):
        return before.year
    return before.year - (first > before.latest.replace(year=1972))


def _in_year(time: pl.Expr, year: pl.Expr) -> pl.Expr:
    """29 February of a year that has none becomes 28 February: the year is our inference, not the log's word."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    no_such_day = (time.dt.month() == 2) & (time.dt.day() == 29) & ~leap
    return time.dt.replace(year=year, day=pl.when(no_such_day).then(28).otherwise(time.dt.day()))


def _flag(frame: pl.DataFrame, layout: Layout, before: Before) -> pl.DataFrame:
    last = pl.lit(before.time, TIME)
    back = (pl.col("time").forward_fill().shift(1).fill_null(last) > pl.col("time")).fill_null(False)
    raised = {
        "folded": pl.col("physical") > 1,
        "cut": pl.col("cut"),
        "recoded": pl.col("recoded"),
        "damaged": pl.col("damaged"),
        "lone_cr": pl.col("lone_cr"),
        "year_inferred": pl.col("matched") & layout.lacks_year,
        "clock_back": back,
    }
    bits = pl.sum_horizontal(flag.cast(pl.UInt8) * (1 << FLAGS.index(name)) for name, flag in raised.items())
    codes = frame.select(bits).to_series()
    return frame.with_columns(flags=_combinations().gather(codes), line=pl.col("line").cast(pl.UInt64))


@cache
def _combinations() -> pl.Series:
    """The list of flags that each number of bits stands for."""
    lists = [[flag for at, flag in enumerate(FLAGS) if code >> at & 1] for code in range(1 << len(FLAGS))]
    return pl.Series(lists, dtype=LINES["flags"])
