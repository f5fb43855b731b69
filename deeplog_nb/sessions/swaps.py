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

    >>> rows = [(name, at, key, 1, False) for name, keys in [("a", [1, 2]), ("b", [2, 1])] for at, key in enumerate(keys)]
    >>> sessions = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> swapped(sessions, seed=1)["session"].unique(maintain_order=True).to_list()
    ['a', 'b', 'a~', 'b~']
    """
    kept = check(sessions, SESSIONS, "sessions").select(*SESSIONS)
    after = kept.with_columns(after=pl.col("key").shift(-1).over("session")).select("key", "after").drop_nulls().unique()
    both = after.join(after, left_on=["key", "after"], right_on=["after", "key"], how="semi").filter(pl.col("key") != pl.col("after"))
    draws = pl.Series(np.random.default_rng(seed).random(len(kept)))
    placed = kept.with_columns(after=pl.col("key").shift(-1).over("session"), draw=draws).join(
        both.with_columns(both=pl.lit(True)), on=["key", "after"], how="left", maintain_order="left"
    )
    chosen = pl.col("both").fill_null(False) & (pl.when("both").then("draw").rank("ordinal").over("session") <= MOST)
    picked = placed.with_columns(chosen=chosen & (pl.col("draw") < 0.5)).with_columns(
        chosen=pl.col("chosen") & ~pl.col("chosen").shift(1, fill_value=False).over("session")  # no key moves twice
    )
    moved = (
        pl.when("chosen").then("after").when(pl.col("chosen").shift(1, fill_value=False).over("session"))
        .then(pl.col("key").shift(1).over("session")).otherwise("key")
    )  # fmt: skip
    more = picked.with_columns(key=moved, session=pl.col("session") + "~").select(*SESSIONS)
    return pl.concat([kept, more])
