"""What a session counts as: its repeats, its length, whether a rule could tell, whether training had it already.

Truth is no input here.
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import SESSIONS, UNITS, VERDICTS, check


def session_units(sessions: pl.DataFrame, train: pl.DataFrame, *, history: int = 10) -> pl.DataFrame:
    """UNITS of these sessions: which are alike, longer than ``history``, hard, or seen in training.

    ``hard`` are the longer ones whose keys all occur in ``train``: no length rule and no unseen key finds them.
    ``recurring`` are those whose whole key sequence is a training session too.

    >>> from deeplog_nb.frames import SESSIONS
    >>> rows = [("a", 0, 1, 5, False), ("a", 1, 2, 5, False), ("b", 0, 9, 1, False)]
    >>> sessions = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> session_units(sessions, sessions.head(2), history=1).select("session", "longer", "hard", "recurring").rows()
    [('a', True, True, True), ('b', False, False, False)]
    """
    known = check(train, SESSIONS, "train")["key"].unique().implode()
    trained = _listed(train)["keys"].unique()
    listed = _listed(check(sessions, SESSIONS, "sessions"))
    longer = pl.col("keys").list.len() > history
    strange = sessions.group_by("session").agg(unseen=(~pl.col("key").is_in(known) | (pl.col("key") == 0)).any())
    known_whole = pl.DataFrame({"keys": trained}).with_columns(recurring=pl.lit(True))
    return (
        listed.join(strange, on="session", how="left", maintain_order="left")
        .join(known_whole, on="keys", how="left", maintain_order="left")
        .with_columns(
            sequence=pl.col("keys").rank("dense").cast(pl.UInt32),
            longer=longer,
            hard=longer & ~pl.col("unseen"),
            recurring=pl.col("recurring").fill_null(False),
        )
        .select(*UNITS)
    )


def units_of(verdicts: pl.DataFrame, history: int) -> pl.DataFrame:
    """UNITS as far as the verdicts of single entries tell them: what recurs from training they cannot know."""
    listed = _listed(check(verdicts, VERDICTS, "verdicts").drop_nulls("session"), pl.col("unseen").any())
    longer = pl.col("keys").list.len() > history
    return listed.select(
        "session",
        "count",
        sequence=pl.col("keys").rank("dense").cast(pl.UInt32),
        longer=longer,
        hard=longer & ~pl.col("unseen"),
        recurring=pl.lit(None, pl.Boolean),
    )


def _listed(rows: pl.DataFrame, *more: pl.Expr) -> pl.DataFrame:
    """``session, count, keys``: a row a session; the keys as a list, end rows left out."""
    return rows.group_by("session", maintain_order=True).agg(
        pl.col("count").first(), pl.col("key").drop_nulls().alias("keys"), *more
    )
