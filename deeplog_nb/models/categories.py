"""Values that a category never had in training: a check of texts, without a network.

How often a normal entry brings a new value is estimated by Good and Turing (Good, 1953): by the share of the training
values that came only once. A category that brings new ones more often than the confidence allows is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from deeplog_nb.frames import PARAMETERS, check

CHECKED: Final = ("categorical", "constant")
ENOUGH: Final = 50  # training values of a position under which its values are not said to be all
KNOWN: Final = {"key": pl.UInt32(), "at": pl.UInt16(), "text": pl.String()}
POSITIONS: Final = {"key": pl.UInt32(), "at": pl.UInt16(), "name": pl.String(), "rate": pl.Float64()}


@dataclass(frozen=True)
class Categories:
    """The checked positions, and the values that each of them had."""

    positions: pl.DataFrame  # key, at, name, rate: at most so many normal entries bring a new value
    known: pl.DataFrame  # key, at, text

    def unseen(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """``row, name, text, rate``: the first new value of each row of these sessions that has one."""
        if self.positions.is_empty() or "parameters" not in sessions.columns:
            return pl.DataFrame(schema={"row": pl.UInt32, "name": pl.String, "text": pl.String, "rate": pl.Float64})
        told = _texts(sessions).join(self.positions, on=["key", "at"])
        new = told.join(self.known, on=["key", "at", "text"], how="anti").sort("row", "at")
        return new.unique("row", keep="first", maintain_order=True).select("row", "name", "text", "rate")

    def learn(self, declared: pl.DataFrame) -> Categories:
        """The same, every text of these rows known at its own position; how often new ones come stays as it was."""
        if self.positions.is_empty() or "parameters" not in declared.columns:
            return self
        told = _texts(declared).join(self.positions, on=["key", "at"], how="semi").select(*KNOWN)
        new = told.unique().join(self.known, on=["key", "at", "text"], how="anti")
        return replace(self, known=pl.concat([self.known, new]).sort("key", "at", "text"))


def fit_categories(sessions: pl.DataFrame, parameters: pl.DataFrame, confidence: float) -> Categories:
    """The values of these normal sessions at the categorical and constant positions.

    >>> sessions = pl.DataFrame({"key": [1] * 60, "parameters": [["GET"], ["PUT"]] * 30},
    ...     schema_overrides={"key": pl.UInt32})
    >>> typed = pl.DataFrame({"key": [1], "at": [0], "name": ["verb"], "kind": ["categorical"], "unit": [None],
    ...     "count": [60], "distinct": [2], "example": ["GET"], "why": [""]}, schema=PARAMETERS)
    >>> fit_categories(sessions, typed, 0.99).unseen(sessions.head(1).with_columns(parameters=pl.lit(["HACK"]))).rows()
    [(0, 'verb', 'HACK', 0.01639344262295082)]
    """
    wanted = (
        check(parameters, PARAMETERS, "parameters").filter(pl.col("kind").is_in(CHECKED)).select("key", "at", "name")
    )
    if wanted.is_empty() or "parameters" not in sessions.columns:
        return Categories(pl.DataFrame(schema=POSITIONS), pl.DataFrame(schema=KNOWN))
    counted = _texts(sessions).join(wanted, on=["key", "at"]).group_by("key", "at", "text", "name").len()
    total = pl.col("len").sum()
    positions = (
        counted.group_by("key", "at", "name")
        .agg(total=total, rate=(pl.col("len") == 1).sum() / total)
        .filter((pl.col("total") >= ENOUGH) & (pl.col("rate") <= 1 - confidence))
        .with_columns(rate=pl.max_horizontal("rate", 1 / (pl.col("total") + 1)))  # none came once: less than one in n
        .sort("key", "at")
    )
    known = counted.join(positions, on=["key", "at"], how="semi").sort("key", "at", "text")
    return Categories(positions.select(*POSITIONS), known.select(*KNOWN))


def _texts(sessions: pl.DataFrame) -> pl.DataFrame:
    """``row, key, at, text``: every parameter of every row."""
    return (
        sessions.select("key", "parameters")
        .with_row_index("row")
        .with_columns(at=pl.int_ranges(pl.col("parameters").list.len(), dtype=pl.UInt16))
        .explode("at", "parameters", empty_as_null=False)
        .select("row", "key", "at", text="parameters")
    )
