"""What was computed for the distinct sequences, told to every session: RANKS; and what they say of a key.

It computes no rank; ``network`` does.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import RANKS, check
from deeplog_nb.sessions.windows import Sequences

_IDENTITY: Final = ("file", "line", "time")  # of the session's rows, carried to RANKS where they are there


def spread(sessions: pl.DataFrame, distinct: Sequences, rank: pl.Series, probability: pl.Series) -> pl.DataFrame:
    """From the distinct sequences back to every session, an end row after each."""
    sizes = pl.Series(distinct.lengths + 1)
    numbers = pl.select(pl.int_range(len(sizes), dtype=pl.UInt32).repeat_by(sizes).explode()).to_series()
    lists = (
        pl.DataFrame({"sequence": numbers, "rank": rank, "probability": probability})
        .group_by("sequence", maintain_order=True)
        .agg("rank", "probability")
    )
    carried = [name for name in _IDENTITY if name in sessions.columns]
    listed = sessions.group_by("session", maintain_order=True).agg(
        _and_end("position", pl.len().cast(pl.UInt32)),
        _and_end("key", pl.lit(None, pl.UInt32)),
        *(_and_end(name, pl.col(name).last()) for name in carried),
        pl.col("count").first(),
        pl.col("open").first(),
    )
    spread = listed.join(distinct.of_session, on="session", maintain_order="left").join(
        lists, on="sequence", maintain_order="left"
    )
    long = spread.explode("position", "key", *carried, "rank", "probability")
    return check(long.select(*RANKS, *carried), RANKS, "ranks")


def _and_end(name: str, end: pl.Expr) -> pl.Expr:
    """A session's column, with what its end row holds behind it."""
    return pl.col(name).append(end)


def is_end() -> pl.Expr:
    """Whether a row of RANKS is its session's end."""
    return pl.col("key").is_null()


def unseen() -> pl.Expr:
    """Whether the key is none that the model knows."""
    return ~is_end() & pl.col("rank").is_null() & (pl.col("probability") == 0)


def unlikely(g: int | None, probability: float | None) -> pl.Expr:
    """Whether a known key is none of the ``g`` most probable, or less probable than that; None is no bound."""
    ranked = pl.lit(False) if g is None else pl.col("rank") > g
    improbable = pl.lit(False) if probability is None else pl.col("probability") < probability
    return ~is_end() & pl.col("rank").is_not_null() & (ranked | improbable)


def early(ending: float | None) -> pl.Expr:
    """Whether a session that is not open ended where that is less probable; None is no bound."""
    return pl.lit(False) if ending is None else is_end() & ~pl.col("open") & (pl.col("probability") < ending)
