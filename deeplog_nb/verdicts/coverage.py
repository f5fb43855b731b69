"""How many normal entries the g most probable keys cover: what to expect of a choice of g (paper, Figure 6b)."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import RANKS, check

PUBLISHED: Final = (0.8891, 0.9612, 0.9806, 0.9929, 0.9985, 0.9991, 0.9994, 0.9997, 0.9998, 0.9998, 0.9999)
"""Top-g coverage on normal HDFS entries, g = 1 to 11, measured off the paper's Figure 6b."""


def coverage(ranks: pl.DataFrame, most: int = 11) -> list[float]:
    """Share of the judged entries, by count, that are among the g most probable, for g = 1 to ``most``.

    An unseen key is among none; entries that have no window, and end rows, do not count.

    >>> rows = {"session": ["a"] * 3, "position": [0, 1, 2], "key": [4, 9, None], "count": [1] * 3, "open": [False] * 3,
    ...     "rank": [2, None, 1], "probability": [0.4, 0.0, 0.9]}
    >>> coverage(pl.DataFrame(rows, schema_overrides=dict(RANKS)), 3)
    [0.0, 0.5, 0.5]
    """
    entries = check(ranks, RANKS, "ranks").filter(pl.col("key").is_not_null(), pl.col("probability").is_not_null())
    count = pl.col("count").cast(pl.Int64)
    shares = entries.select(
        (count * (pl.col("rank") <= g).fill_null(False)).sum().truediv(count.sum()).alias(str(g))
        for g in range(1, most + 1)
    )
    return [float(share) for share in shares.row(0)] if len(entries) else []
