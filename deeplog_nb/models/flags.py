"""ERRORS -> which entries a value model flags by itself, whatever other rules say of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import ERRORS, check

SLACK: Final = 1 + 1e-6  # tails are 32-bit floats


def beyond(tail: pl.Expr, confidence: float) -> pl.Expr:
    """Whether normal entries err as much no more often than 1 - confidence."""
    return tail <= (1 - confidence) * SLACK


def flagged(errors: pl.DataFrame, confidence: float) -> pl.DataFrame:
    """``session, position, key, flagged``: an error beyond what the confidence allows, or a category's new value."""
    over = beyond(pl.col("tail"), confidence).fill_null(False) | pl.col("text").is_not_null()
    return check(errors, ERRORS, "errors").select("session", "position", "key", flagged=over)
