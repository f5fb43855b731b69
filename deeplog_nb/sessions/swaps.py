"""More training sessions out of those that there are: neighbours that occur in both orders, put in the other one."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.frames import SESSIONS, check

MOST: Final = 3  # swaps a session


def swapped(sessions: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """The sessions, then each once more with up to three of its swappable neighbours in the other order.

    Neighbours are swappable where training has them next to each other in both orders: concurrent steps.

    >>> rows = [(name, at, key, 1, False) for name, keys in [("a", [1, 2]), ("b", [2, 1])]
    ...         for at, key in enumerate(keys)]
    >>> sessions = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> swapped(sessions, seed=1)["session"].unique(maintain_order=True).to_list()
    ['a', 'b', 'a~', 'b~']
    """
    kept = check(sessions, SESSIONS, "sessions").select(*SESSIONS)
    draws = pl.Series(np.random.default_rng(seed).random(len(kept)))
    first = (
        kept.with_columns(after=pl.col("key").shift(-1).over("session"), draw=draws)
        .join(_both_orders(kept), on=["key", "after"], how="left", maintain_order="left")
        .with_columns(turn=pl.when("both").then("draw").rank("ordinal").over("session"))
        .select(chosen=(pl.col("turn") <= MOST).fill_null(False) & (pl.col("draw") < 0.5), session="session")
        .select(pl.col("chosen") & ~pl.col("chosen").shift(1, fill_value=False).over("session"))  # no key moves twice
    )
    placed = kept.with_columns(first=first["chosen"])
    second = pl.col("first").shift(1, fill_value=False).over("session")
    after, before = (pl.col("key").shift(by).over("session") for by in (-1, 1))
    moved = placed.with_columns(key=pl.when("first").then(after).when(second).then(before).otherwise("key"))
    longest = kept["session"].str.extract(r"(~*)$", 1).str.len_bytes().max() or 0
    mark = "~" * (int(str(longest)) + 1)  # so that no name is that of another session
    return pl.concat([kept, moved.with_columns(session=pl.col("session") + mark).select(*SESSIONS)])


def _both_orders(sessions: pl.DataFrame) -> pl.DataFrame:
    """``key, after, both``: the neighbours that come in this order and in the other."""
    pairs = sessions.select("key", after=pl.col("key").shift(-1).over("session")).drop_nulls().unique()
    swapped_too = pairs.join(pairs, left_on=["key", "after"], right_on=["after", "key"], how="semi")
    return swapped_too.filter(pl.col("key") != pl.col("after")).with_columns(both=pl.lit(True))
