"""Texts of times -> naive UTC, by a layout's formats. What cannot be read is null."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from deeplog_nb.frames import TIME, InputError

WIDTHS: Final = {"Y": 4, "b": 3, "a": 3} | dict.fromkeys("mdeHMSyI", 2)  # of a time's parts when written in full
SPELT: Final = r"%Y-%m-%d "  # of formats that begin so, the blank may be a T


def read_times(texts: pl.Series, forms: Sequence[str], *, lacks_year: bool = False) -> pl.Series:
    """The times that these texts say in the first of the formats that fits; in 1972 where no year is said.

    >>> read_times(pl.Series(["2026-03-02T10:15:00,5", "soon"]), ["%Y-%m-%d %H:%M:%S%.f"]).to_list()
    [datetime.datetime(2026, 3, 2, 10, 15, 0, 500000), None]
    """
    if lacks_year:
        texts, forms = "1972 " + texts, [f"%Y {form}" for form in forms]
    read = pl.repeat(None, len(texts), dtype=TIME, eager=True)
    for reader in (_in_parts, _slowly):
        for form in forms:
            left = read.is_null() & texts.is_not_null()
            if not left.any():
                break
            read = (
                reader(texts, form) if left.all() else read.scatter(left.arg_true(), reader(texts.filter(left), form))
            )
    return read.set(~read.dt.year().is_between(1, 9999), None)  # what Python's datetime can hold


def read_epochs(texts: pl.Series) -> pl.Series:
    """Times from seconds, milli-, micro- or nanoseconds since 1970, told by their size."""
    whole = texts.cast(pl.Int64, strict=False).alias("whole")
    part = texts.cast(pl.Float64, strict=False).alias("part")
    size, near = pl.col("part").abs(), pl.col("part").is_between(-62_135_596_800, 2.5e20)  # false for NaN, infinity
    units = ((1e17, whole_part(1, 1000)), (1e14, whole_part(1, 1)), (1e11, whole_part(1000, 1)))
    micros = pl.coalesce(*(pl.when(size > least).then(value) for least, value in units), whole_part(1_000_000, 1))
    kept = pl.when(near & (micros < 253_402_300_800_000_000)).then(micros)
    return pl.select(whole, part).select(pl.from_epoch(kept, time_unit="us")).to_series()


def whole_part(times: int, by: int) -> pl.Expr:
    """Microseconds: exact where the number is whole, for a float has too few digits for nanoseconds."""
    rough = (pl.col("part") * times / by).round().cast(pl.Int64, strict=False)
    return pl.when(pl.col("whole").abs() < 2**62 // times).then(pl.col("whole") * times // by).otherwise(rough)


def check_times(forms: Sequence[str], named: str) -> None:
    """An error, unless each of these formats reads what it writes."""
    for form in forms:
        lacks_year = not has_year(form)
        try:
            text = pl.Series([datetime(2026, 3, 2, 10, 15, tzinfo=UTC)]).dt.strftime(form.replace("%#z", "%z"))
            read = read_times(text, [form], lacks_year=lacks_year).dt.strftime("%m-%d").to_list() == ["03-02"]
        except pl.exceptions.PolarsError:
            read = False
        if not read:
            raise InputError(f"{named}: {form} says no date and time that can be read; write as in %Y-%m-%d %H:%M:%S")


def has_year(form: str) -> bool:
    """Whether this format states a year."""
    return any(year in form for year in ("%Y", "%y", "%s", "%F", "%D", "%c"))


def _in_parts(texts: pl.Series, form: str) -> pl.Series:
    """Times with a fraction whose parts all have their full width; else null, and it is for ``_slowly``.

    The seconds of a log repeat and are read once; the fraction is a number. Three times as fast as at once.
    """
    found = re.fullmatch(r"((?:%[YbamdeHMSyI]|[^%])+)%\.f(%#z)?", form)
    if not found:
        return pl.repeat(None, len(texts), dtype=TIME, eager=True)
    width = sum(WIDTHS[part[1]] if part[0] == "%" else 1 for part in re.findall(r"%.|.", found[1]))
    zoned, plain = found[2] is not None, _plain(texts, form)
    rest = plain.str.slice(width)
    digits = rest.str.strip_prefix(".").str.strip_suffix("Z") if zoned else rest.str.strip_prefix(".")
    shaped = _is_fraction(rest, zoned=zoned)
    micros = digits.str.pad_end(9, "0").cast(pl.UInt32, strict=False).cast(pl.Int64) // 1000
    seconds = plain.str.slice(0, width).str.to_datetime(found[1], time_unit="us", strict=False)
    both = pl.select(pl.when(shaped).then(seconds + pl.Series(micros).cast(pl.Duration("us"))))
    return both.to_series()


def _is_fraction(rest: pl.Series, *, zoned: bool) -> pl.Series:
    signed = rest.str.starts_with(".+") | rest.str.starts_with(".-")
    short = rest.str.len_bytes().is_between(2, 11 if zoned else 10)
    return rest.str.starts_with(".") & short & ~signed & (rest.str.ends_with("Z") if zoned else True)


def _slowly(texts: pl.Series, form: str) -> pl.Series:
    plain = _plain(texts, form)
    if "z" not in form:
        return plain.str.to_datetime(form, time_unit="us", strict=False)
    marked = plain.str.replace("Z$", "+00:00")
    return marked.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)


def _plain(texts: pl.Series, form: str) -> pl.Series:
    """The texts with a point before the fraction, and a blank between day and hour."""
    for sign, plain, may in ((",", ".", "%.f" in form), ("T", " ", form.startswith(SPELT))):
        if may and texts.str.contains(sign, literal=True).any():
            texts = texts.str.replace(sign, plain, literal=True)
    return texts
