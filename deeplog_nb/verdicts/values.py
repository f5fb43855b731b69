"""ERRORS beside RANKS: the rules ``timing`` and ``value``, which fire only where the key rules passed (paper, 3.2).

What it knows of a forecast is its tail: the share of normal entries that would err as much.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import ERRORS, check
from deeplog_nb.models.flags import beyond

ELAPSED: Final = "elapsed"
KEY_RULES: Final = ("unseen", "unlikely")
LONG: Final = 1e15  # numbers from which on not every digit is written out
CLIPPED: Final = 80  # characters of a text that a reason quotes
_HIDDEN: Final = ("tail", "expected", "seen", "unit", "text")  # of ERRORS, while it is judged
_NOTHING: Final = (
    *(pl.lit(False).alias(rule) for rule in ("timing", "value")),
    *(pl.lit(None, ERRORS[name]).alias(name if name == "worst" else f"_{name}") for name in ("worst", *_HIDDEN)),
)  # what is said where there are no ERRORS


def with_values(judged: pl.DataFrame, errors: pl.DataFrame | None, confidence: float) -> pl.DataFrame:
    """The rows with ``timing`` and ``value``, the ``worst`` position of those that fired, and what was told of it."""
    if errors is None or check(errors, ERRORS, "errors").is_empty():
        return judged.with_columns_seq(*_NOTHING)
    known = errors.select("session", "position", "worst", **{f"_{name}": name for name in _HIDDEN})
    joined = judged.join(known, on=["session", "position"], how="left", maintain_order="left")
    passed = ~pl.any_horizontal(KEY_RULES)
    far = passed & beyond(pl.col("_tail"), confidence)
    new = passed & pl.col("_text").is_not_null()
    is_wait = pl.col("worst") == ELAPSED
    ruled = joined.with_columns_seq(
        timing=(far & is_wait).fill_null(False), value=(new | (far & ~is_wait)).fill_null(False)
    )
    fired = pl.any_horizontal("timing", "value")
    return ruled.with_columns_seq(
        pl.when(fired).then(name).alias(name) for name in ("worst", *(f"_{n}" for n in _HIDDEN))
    )


def told(errors: pl.DataFrame | None) -> list[pl.Expr]:
    """``worst, expected, seen, unit, text``, null where neither of the two rules fired; none without ERRORS."""
    if errors is None:
        return []
    return [pl.col("worst"), *(pl.col(f"_{name}").alias(name) for name in _HIDDEN if name != "tail")]


def value_score() -> pl.Expr:
    """-log10 of the tail; null where neither rule fired."""
    return pl.when(pl.any_horizontal("timing", "value")).then(-pl.col("_tail").log10())


def value_reason() -> pl.Expr:
    """What came and what was expected; null where neither rule fired."""
    unit = pl.when(pl.col("_unit").is_not_null()).then(pl.format(" {}", "_unit")).otherwise(pl.lit(""))
    seen, expected = (pl.col(name).map_batches(_told, return_dtype=pl.String) for name in ("_seen", "_expected"))
    numbers = pl.format("{} {}{}, expected {}{}", "worst", seen, unit, expected, unit)
    is_long = pl.col("_text").str.len_chars() > CLIPPED
    text = pl.when(is_long).then(pl.col("_text").str.head(CLIPPED - 1) + "…").otherwise("_text")
    new = pl.format("{} ‘{}’, a value never seen in training", "worst", text)
    return pl.when(pl.any_horizontal("timing", "value")).then(pl.coalesce(new, numbers))


def _told(values: pl.Series) -> pl.Series:
    """Three significant digits, as text; distinct values only."""
    distinct = values.unique()
    texts = pl.Series([None if value is None else _number(value) for value in distinct.to_list()], dtype=pl.String)
    return values.replace_strict(distinct, texts, return_dtype=pl.String)


def _number(value: float) -> str:
    """A number as people write it.

    >>> _number(41.2345), _number(0.00123), _number(64172.0), _number(-0.0), _number(1e100)
    ('41.2', '0.00123', '64,172', '0', '1e+100')
    """
    if 1000 <= abs(value) < LONG:
        return f"{value:,.0f}"
    return f"{value + 0:.3g}" if value else "0"
