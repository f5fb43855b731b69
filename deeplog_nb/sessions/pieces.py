"""Too few sessions to count alarms by, or none: pieces of them, of so many entries, stand in."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import SESSIONS, check

PIECE: Final = 100  # entries
FEW: Final = 10  # sessions under which bounds are set by pieces


def pieces(sessions: pl.DataFrame, size: int = PIECE) -> pl.DataFrame:
    """Every ``size`` entries of a session as one of their own; none but a session's last one has ended.

    >>> rows = [("a", at, key, 1, False) for at, key in enumerate([1, 2, 3])]
    >>> cut = pieces(pl.DataFrame(rows, schema=dict(SESSIONS), orient="row"), 2)
    >>> cut.select("session", "position", "key", "open").rows()
    [('a#0', 0, 1, True), ('a#0', 1, 2, True), ('a#1', 0, 3, False)]
    """
    number = pl.col("position") // size
    return check(sessions, SESSIONS, "sessions").with_columns(
        session=pl.format("{}#{}", "session", number),
        position=(pl.col("position") % size).cast(pl.UInt32),
        open=pl.col("open") | (number < number.max().over("session")),
    )
