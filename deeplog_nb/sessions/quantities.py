"""Texts that state an amount, as numbers in one unit: plain numbers, sizes, durations, percentages.

It does not decide which texts are amounts to learn from; ``parameters`` does.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

AMOUNT: Final = r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z%µ]*)$"
"""A decimal number, then perhaps a unit; no hexadecimal, no address, no clock time."""

_ONE: Final = re.compile(AMOUNT.replace(r"\s", r"[^\S\x1c-\x1f]").replace("$", r"\Z"))  # as polars' engine takes it
_SIZES: Final = {
    name: float(1024**power)
    for power, names in enumerate((("B", "bytes", "byte"), ("K", "kB", "KB", "KiB"), ("M", "MB", "MiB"), ("G", "GB")))
    for name in names
} | {"GiB": 1024.0**3, "T": 1024.0**4, "TB": 1024.0**4, "TiB": 1024.0**4}
_DURATIONS: Final = (
    dict.fromkeys(("ns", "nanoseconds"), 1e-9)
    | dict.fromkeys(("us", "µs", "microseconds"), 1e-6)
    | dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds"), 1e-3)
    | dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0)
    | dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0)
    | dict.fromkeys(("h", "hour", "hours"), 3600.0)
)
UNITS: Final = {unit: ("size", factor) for unit, factor in _SIZES.items()}
UNITS.update({unit: ("duration", factor) for unit, factor in _DURATIONS.items()})
UNITS.update({"%": ("share", 1.0), "percent": ("share", 1.0), "": ("number", 1.0)})
"""Each unit with what it measures and how many bytes, seconds or ones it is. A size counts in 1024s."""


def number(text: pl.Expr) -> pl.Expr:
    """The number that a text begins with; null where the text is no amount.

    >>> texts = pl.DataFrame({"text": ["20.58", "2048 MB", "+3e2", "0x1f", "10:15", "7 cats"]})
    >>> texts.select(number(pl.col("text"))).to_series().to_list()
    [20.58, 2048.0, 300.0, None, None, None]
    """
    return pl.when(unit(text).is_not_null()).then(text.str.extract(AMOUNT, 1).cast(pl.Float64, strict=False))


def unit(text: pl.Expr) -> pl.Expr:
    """The unit behind the number, empty where there is none; null where the text is no amount.

    >>> pl.DataFrame({"text": ["15 GB", "15", "1.5ms", "blk_7"]}).select(unit(pl.col("text"))).to_series().to_list()
    ['GB', '', 'ms', None]
    """
    found = text.str.extract(AMOUNT, 2)
    return pl.when(found.is_in(list(UNITS))).then(found)


def amount(text: pl.Expr, wanted: pl.Expr) -> pl.Expr:
    """The amount in the wanted unit; null where the text states none, or one of another kind.

    >>> sizes = pl.DataFrame({"text": ["1.5 GB", "512 MB", "7", "3 s"], "unit": ["MB"] * 4})
    >>> sizes.select(amount(pl.col("text"), pl.col("unit"))).to_series().to_list()
    [1536.0, 512.0, 7.0, None]
    """
    kinds = {name: kind for name, (kind, _) in UNITS.items()}
    factors = {name: factor for name, (_, factor) in UNITS.items()}
    own = unit(text)
    told = pl.when(own == "").then(wanted).otherwise(own)  # a bare number is in the unit that its position has
    same = told.replace_strict(kinds, default=None) == wanted.replace_strict(kinds, default=None)
    scale = told.replace_strict(factors, default=None) / wanted.replace_strict(factors, default=None)
    return pl.when(same).then(number(text) * scale)


def stated(text: str, wanted: str) -> float | None:
    """The same of one text, without a frame.

    >>> [stated(text, "MB") for text in ("1.5 GB", "512 MB", "7", "3 s")]
    [1536.0, 512.0, 7.0, None]
    """
    found = _ONE.match(text)
    if found is None or found[2] not in UNITS or wanted not in UNITS:
        return None
    kind, factor = UNITS[found[2] or wanted]
    wanted_kind, wanted_factor = UNITS[wanted]
    return float(found[1]) * (factor / wanted_factor) if kind == wanted_kind else None
