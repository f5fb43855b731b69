"""The text of a line -> its fields by a layout: time, level, source, message and the layout's own columns.

Expressions only; which lines make a record, and what follows from their neighbours, is ``records``' matter.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import TIME
from deeplog_nb.lines.layouts import RESERVED, Layout

JSON_NAMES: Final = {  # where JSON logs keep what we need, first that is there
    "time": ("time", "timestamp", "@timestamp", "ts", "asctime", "datetime"),
    "level": ("level", "severity", "levelname", "lvl"),
    "source": ("logger", "source", "name", "component", "service"),
    "message": ("message", "msg", "event", "log", "text"),
}


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


def json_columns(texts: pl.Series) -> list[str]:
    """Plain top-level names in these lines beyond the contract: what ``--session COLUMN`` can name."""
    found = texts.str.extract_all(r'"[A-Za-z_]\w*"\s*:\s*[^\[{\s]').explode().drop_nulls()
    taken = {name for names in JSON_NAMES.values() for name in names} | RESERVED
    return sorted({text.split('"')[1] for text in found.to_list()} - taken)


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


def _nothing(name: str, kind: pl.DataType | None = None) -> pl.Expr:
    return pl.lit(None, kind or pl.String()).alias(name)
