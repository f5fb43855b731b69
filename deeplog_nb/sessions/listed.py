"""Lists of keys, a session a row -> SESSIONS. What the keys mean, and where the lists come from, is not said here."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import SESSIONS, check

_DEFAULTS: Final = {"count": pl.lit(1, pl.UInt32), "open": pl.lit(False)}


def as_sessions(listed: pl.DataFrame) -> pl.DataFrame:
    """SESSIONS of ``session, keys``, a row a session; with their ``count`` and ``open`` where there are such columns.

    A session without keys has no row.

    >>> as_sessions(pl.DataFrame({"session": ["a", "b"], "keys": [[5, 22], [5]], "count": [1, 3]})).rows()
    [('a', 0, 5, 1, False), ('a', 1, 22, 1, False), ('b', 0, 5, 3, False)]
    """
    given = listed.with_columns(value.alias(name) for name, value in _DEFAULTS.items() if name not in listed.columns)
    flat = given.select(
        "session",
        position=pl.int_ranges(pl.col("keys").list.len()).cast(pl.List(pl.UInt32)),
        key=pl.col("keys").cast(pl.List(pl.UInt32)),
        count=pl.col("count").cast(pl.UInt32),
        open="open",
    ).explode("position", "key", empty_as_null=False)
    return check(flat, SESSIONS, "sessions")
