"""Alarms grouped by what happened, worst first: what a person reads instead of a thousand rows."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from deeplog_nb.frames import RULES, VERDICTS, check

_BY_ITSELF: Final = ("unseen", "timing", "value")  # odd, whatever key came before


def alarms(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The anomalous rows, worst first, each with ``rule`` (the first that fired) and ``before`` (the key before it)."""
    previous = pl.when(pl.col("session").is_not_null()).then(pl.col("key").shift(1).over("session"))
    return (
        check(verdicts, VERDICTS, "verdicts")
        .with_columns(before=previous, rule=pl.coalesce(pl.when(rule).then(pl.lit(rule)) for rule in RULES))
        .filter("anomalous")
        .sort("score", descending=True, nulls_last=True, maintain_order=True)
    )


def patterns(verdicts: pl.DataFrame, *, per: Literal["session", "line"] = "session") -> pl.DataFrame:
    """``rule, before, key, sessions, score`` and where it is first seen; one row a pattern, worst first.

    A session counts under its worst alarm; what else it raised is in ``alarms``. ``per="line"`` counts every alarm
    instead, for logs whose only session is the file. Messages that fit no template are told apart by their ``shape``,
    odd values by their ``worst`` position, where the verdicts have them.
    """
    what = [name for name in ("shape", "worst") if name in verdicts.columns]
    rows = alarms(verdicts).with_row_index("_row")
    worst = rows.group_by(_owner(), maintain_order=True).first() if per == "session" else rows
    seen = [name for name in ("file", "line", "time") if name in worst.columns]
    return (
        worst.with_columns(
            alone=pl.col("session").is_null(),
            before=pl.when(~pl.col("rule").is_in(_BY_ITSELF)).then("before"),
        )
        .group_by("rule", "alone", "before", "key", *what, maintain_order=True)
        .agg(
            sessions=pl.col("count").sum(),
            score=pl.col("score").max(),
            row=pl.col("_row").first(),
            **{name: pl.col(name).first() for name in ("session", "position", "why", *seen)},
        )
        .sort("score", "row", descending=[True, False], nulls_last=True)
        .drop("row", "alone")
    )


def _owner() -> pl.Expr:
    """The session, or for a line that is in none, the line itself."""
    return pl.coalesce("session", pl.format("line {}", pl.col("_row"))).alias("_owner")
