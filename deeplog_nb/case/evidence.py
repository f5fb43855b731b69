"""What proves an answer: the keys of the session as it was judged, which a model can learn from."""

from __future__ import annotations

from typing import Final

import polars as pl

LONG: Final = 10_000  # entries above which a session is no evidence as a whole
NEAR: Final = 1_000  # of such a session: the entries up to and including the row


def with_evidence(picked: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The picked ones of these rows with ``keys``, as the text of a JSON list.

    Those of the row's session; of a session that is too long, the last up to the row; of a line in none, its own.
    """
    near = _entries_until(rows.filter(pl.col("session").is_in(picked["session"].unique().implode())))
    entries = near.filter(pl.col("key").is_not_null()).sort("session", maintain_order=True).with_row_index("_at")
    spans = entries.group_by("session").agg(_begin=pl.col("_at").first().cast(pl.Int64), _all=pl.len())
    until = pl.when(pl.col("position").is_null()).then("_all").otherwise("_until").cast(pl.Int64)
    is_long = pl.col("_all") > LONG
    first = pl.when(is_long).then((until - NEAR).clip(0)).otherwise(0)
    last = pl.when(is_long).then(until).otherwise("_all")
    spanned = picked.join(near.select("_row", "_until"), on="_row", how="left").join(spans, on="session", how="left")
    at = spanned.select("_row", _at=pl.int_ranges(pl.col("_begin") + first, pl.col("_begin") + last)).explode("_at")
    lists = at.with_columns(_key=entries["key"].gather(at["_at"])).group_by("_row").agg(_keys=pl.col("_key"))
    own = pl.when(pl.col("session").is_null()).then(pl.concat_list("key"))
    keys = pl.coalesce(own, "_keys").list.drop_nulls().fill_null([])
    return (
        spanned.join(lists, on="_row", how="left")
        .sort("_row")
        .with_columns(keys=pl.format("[{}]", keys.cast(pl.List(pl.String)).list.join(",")))
    )


def _entries_until(rows: pl.DataFrame) -> pl.DataFrame:
    """By position, each with ``_until``: how many entries its session has up to and including it."""
    count = pl.col("key").is_not_null().cum_sum().over("session")
    return rows.sort("position", maintain_order=True).with_columns(_until=count)
