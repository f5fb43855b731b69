"""The gate that an update has to pass: no confirmed anomaly may be lost, and held-out normal sessions fare no worse.

How a model learns is its own affair; what it flags, a function tells the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import polars as pl

from deeplog_nb.frames import SESSIONS, FrameError, check
from deeplog_nb.models.naming import listed
from deeplog_nb.models.update import CHANGES, Update

Model = TypeVar("Model")

FLAGS: Final = {"session": pl.String(), "position": pl.UInt32(), "key": pl.UInt32(), "flagged": pl.Boolean()}


def gated(
    old: Model,
    new: Model,
    flags: Callable[[Model, pl.DataFrame], pl.DataFrame],
    normal: pl.DataFrame,
    *,
    canaries: pl.DataFrame | None = None,
    holdout: pl.DataFrame | None = None,
) -> Update[Model]:
    """The update to the new model; refused, with the old one, where it loses a canary or flags more held-out entries.

    ``flags`` tells FLAGS of a model and SESSIONS. Of ``normal``, what was learnt, the rows count whose ``learn`` is
    true. Of the ``canaries``, rows whose ``anomalous`` is true and which the old model flags must stay flagged; where
    they have no such column, one of the flagged rows of each session.

    >>> rows = pl.DataFrame([("a", 0, 1, 1, False), ("b", 0, 2, 1, False)], schema=dict(SESSIONS), orient="row")
    >>> def above(bound, rows):
    ...     return rows.select("session", "position", "key", flagged=pl.col("key") > bound)
    >>> gated(0, 1, above, rows, canaries=rows.tail(1))
    Update(1 alarm cleared, 0 true anomalies lost, 0 new alarms)
    >>> gated(0, 2, above, rows, canaries=rows.tail(1)).model
    0
    """
    learnt = _both(flags, old, new, normal, "learn")
    kept = _both(flags, old, new, canaries, "anomalous")
    held = _both(flags, old, new, holdout, None)
    gone, came = pl.col("before") & ~pl.col("after"), pl.col("after") & ~pl.col("before")
    stays = (pl.col("before") & pl.col("after")).any().over("session")
    named = canaries is not None and "anomalous" in canaries.columns
    lost = kept.filter(gone & pl.col("marked") & (True if named else ~stays))
    told = (("cleared", learnt.filter(gone & pl.col("marked"))), ("lost", lost), ("new", held.filter(came)))
    refused = "; ".join(reason for reason in (_lost(lost), _more(held)) if reason) or None
    return Update(old if refused else new, pl.concat([_changes(*each) for each in told]), refused)


def marked(sessions: pl.DataFrame, column: str | None) -> pl.Series:
    """Which rows the Boolean column marks; all of them where there is none."""
    if column is None or column not in sessions.columns:
        return pl.repeat(True, len(sessions), eager=True)
    if sessions.schema[column] != pl.Boolean or sessions[column].has_nulls():
        raise FrameError(f"column {column} is {sessions.schema[column]}, perhaps with nulls; wanted true or false")
    return sessions[column]


def _both(
    flags: Callable[[Model, pl.DataFrame], pl.DataFrame],
    old: Model,
    new: Model,
    sessions: pl.DataFrame | None,
    column: str | None,
) -> pl.DataFrame:
    """``session, position, key, before, after, marked``: what either model flags, row by row; ends too, if told."""
    if sessions is None:
        return pl.DataFrame(schema=FLAGS).with_columns(before="flagged", after="flagged", marked="flagged")
    asked = check(sessions, SESSIONS, "sessions")
    marks = asked.select("session", "position", marked=marked(asked, column))
    before, after = (check(flags(model, asked), FLAGS, "flags") for model in (old, new))
    both = before.select("session", "position", "key", before="flagged", after=after["flagged"])
    told = both.join(marks, on=["session", "position"], how="left", maintain_order="left")
    return told.with_columns(pl.col("marked").fill_null(True))  # a session's end is no entry that could be unmarked


def _changes(change: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.lit(change, CHANGES["change"]).alias("change"), "session", "position", "key")


def _lost(lost: pl.DataFrame) -> str | None:
    if lost.is_empty():
        return None
    names = lost["session"].fill_null("of no name").unique(maintain_order=True).to_list()
    return f"{len(names)} of the canaries' sessions would lose an alarm that must stay: {listed(names)}"


def _more(held: pl.DataFrame) -> str | None:
    before, after = int(held["before"].sum()), int(held["after"].sum())
    return f"{after} held-out normal entries would be flagged, and {before} were" if after > before else None
