"""Physical lines -> LINES: cuts the fields out, infers the year, folds continuations, sets the flags.

Works on one block of a file at a time and is told what the block before it ended with, so that a
file of any size gives the same records as if it had been read at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import polars as pl

from deeplog_nb.frames import FLAGS, LINES, TIME
from deeplog_nb.lines.layouts import RESERVED, Layout, matched

JSON_NAMES: Final = {  # where JSON logs keep what we need, first that is there
    "time": ("time", "timestamp", "@timestamp", "ts", "asctime", "datetime"),
    "level": ("level", "severity", "levelname", "lvl"),
    "source": ("logger", "source", "name", "component", "service"),
    "message": ("message", "msg", "event", "log", "text"),
}
CONTINUES: Final = (  # a line of the record above it
    r"^(?:\s+\S|Caused by:|Traceback \(most recent call last\)|[\w.]+(?:Error|Exception|Exit|Interrupt)(?::|$))"
)
ROLLOVER: Final = pl.duration(days=183)  # a clock that falls back by more has passed New Year


@dataclass(frozen=True)
class Before:
    """What the blocks before this one ended with."""

    year: int  # of the last record, for layouts without one
    time: datetime | None = None  # of the last record
    lines: int = 0  # physical lines so far
    latest: datetime | None = None  # the first record is no later, where ``year`` is only this date's


def fields(layout: Layout) -> list[pl.Expr]:
    """One expression a field, over the column ``text``; ``time`` comes out as naive UTC."""
    if layout.kind == "json":
        return _json_fields(layout)
    if layout.kind == "text":
        return [_nothing("time", TIME), _nothing("level"), _nothing("source"), pl.col("text").alias("message")]
    groups = pl.col("text").str.extract_groups(layout.pattern)
    names = layout.groups
    absent = [_nothing(name) for name in ("level", "source") if name not in names]
    cut = [groups.struct.field(name) for name in names if name != "time"]
    when = _time(groups.struct.field("time"), layout) if "time" in names else _nothing("time", TIME)
    return [when.alias("time"), *cut, *absent]


def to_records(
    texts: pl.Series, offsets: pl.Series, recoded: pl.Series, layout: Layout, before: Before
) -> pl.DataFrame:
    """LINES without ``file``, plus ``physical`` (how many lines each record took)."""
    frame = pl.DataFrame({"text": texts, "offset": offsets, "recoded": recoded}).with_row_index(
        "line", before.lines + 1
    )
    records = (
        frame.with_columns(fields(layout))
        .with_columns(matched=matched(layout))
        .pipe(_keep_whole_line_where_unmatched)
        .pipe(_fold, layout)
    )
    if layout.lacks_year:
        records = records.pipe(_infer_year, before)
    return records.pipe(_flag, layout, before)


def last_of(records: pl.DataFrame, before: Before) -> Before:
    """What a block that ended with these records leaves for the next one."""
    times = records["time"].drop_nulls()
    lines = before.lines + int(records["physical"].sum())
    if not len(times):
        return replace(before, lines=lines)
    return Before(year=times[-1].year, time=times[-1], lines=lines)


def _keep_whole_line_where_unmatched(frame: pl.DataFrame) -> pl.DataFrame:
    cut = [name for name in frame.columns if name not in ("line", "text", "offset", "recoded", "matched", "message")]
    return frame.with_columns(
        pl.when("matched").then("message").otherwise("text").alias("message"),
        *(pl.when("matched").then(name).alias(name) for name in cut),
    ).drop("text")


def _fold(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Continuation lines (stack traces) become part of the record above them."""
    plain = frame.with_columns(physical=pl.lit(1, pl.UInt32))
    if layout.kind != "regex" or frame["matched"].all():
        return plain
    continues = ~pl.col("matched") & pl.col("message").str.contains(CONTINUES)
    record = (~continues).cum_sum()
    if not plain.select((continues & (record > 0)).any()).item():
        return plain
    rest = [name for name in frame.columns if name not in ("message", "recoded")]
    return (
        frame.with_columns(record=pl.when(record > 0).then(record).otherwise(-pl.col("line").cast(pl.Int64)))
        .group_by("record", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in rest),
            pl.col("message").str.join("\n"),
            pl.col("recoded").any(),
            pl.len().cast(pl.UInt32).alias("physical"),
        )
        .drop("record")
    )


def _infer_year(frame: pl.DataFrame, before: Before) -> pl.DataFrame:
    """The time has year 1972 (a leap year) so far; each fall back by half a year is a New Year."""
    last = pl.lit(before.time.replace(year=1972) if before.time else None, TIME)
    known = pl.col("time").forward_fill().fill_null(last)
    fell_back = (known.shift(1).fill_null(last) - known) > ROLLOVER
    year = _first_year(frame["time"], before) + fell_back.fill_null(False).cast(pl.Int32).cum_sum()
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
        "recoded": pl.col("recoded"),
        "year_inferred": pl.col("matched") & layout.lacks_year,
        "clock_back": back,
    }
    bits = pl.sum_horizontal(flag.cast(pl.UInt8) * (1 << FLAGS.index(name)) for name, flag in raised.items())
    coded = frame.with_columns(flags=bits)
    table = pl.Series(
        [[f for i, f in enumerate(FLAGS) if code >> i & 1] for code in range(1 << len(FLAGS))], dtype=LINES["flags"]
    )
    return coded.with_columns(flags=table.gather(coded["flags"]), line=pl.col("line").cast(pl.UInt64)).drop("recoded")


def _time(text: pl.Expr, layout: Layout) -> pl.Expr:
    if layout.lacks_year:
        dated = pl.lit("1972 ") + text
        return pl.coalesce(dated.str.to_datetime(f"%Y {f}", time_unit="us", strict=False) for f in layout.time)
    plain = text.str.replace(",", ".", literal=True).str.replace("T", " ", literal=True)
    read = pl.coalesce(_naive(plain, form) for form in layout.time)
    return pl.when(read.dt.year().is_between(1, 9999)).then(read)  # what Python's datetime can hold


def _naive(text: pl.Expr, form: str) -> pl.Expr:
    if "z" not in form:
        return text.str.to_datetime(form, time_unit="us", strict=False)
    read = text.str.replace(r"Z$", "+00:00").str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    return read.dt.replace_time_zone(None)


def _json_fields(layout: Layout) -> list[pl.Expr]:
    cut = {name: pl.coalesce(_json(each) for each in names) for name, names in JSON_NAMES.items()}
    others = [_json(name).alias(name) for name in layout.columns]
    stamp = cut.pop("time")
    when = pl.coalesce(_time(stamp, layout), _epoch(stamp.cast(pl.Float64, strict=False)))
    return [when.alias("time"), *(value.alias(name) for name, value in cut.items()), *others]


def _epoch(number: pl.Expr) -> pl.Expr:
    """A time from seconds, milli-, micro- or nanoseconds since 1970, told by their size."""
    units = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3))  # larger than this: so many microseconds each
    each = pl.coalesce(*(pl.when(number.abs() > size).then(unit) for size, unit in units), 1e6)
    near = number.is_between(-62_135_596_800, 2.5e20)  # not before year 1; false for NaN and infinity
    micros = pl.when(near).then((number * each).round())
    return pl.from_epoch(pl.when(micros < 253_402_300_800e6).then(micros).cast(pl.Int64), time_unit="us")


def _json(name: str) -> pl.Expr:
    return pl.col("text").str.json_path_match(f'$["{name}"]')


def json_columns(texts: pl.Series) -> list[str]:
    """Plain top-level names in these lines beyond the contract: what ``--session COLUMN`` can name."""
    found = texts.str.extract_all(r'"[A-Za-z_]\w*"\s*:\s*[^\[{\s]').explode().drop_nulls()
    taken = {name for names in JSON_NAMES.values() for name in names} | RESERVED
    return sorted({text.split('"')[1] for text in found.to_list()} - taken)


def _nothing(name: str, kind: pl.DataType | None = None) -> pl.Expr:
    return pl.lit(None, kind or pl.String()).alias(name)
