"""Which sessions are kept back: whole sessions, the latest ones. Never a random split of windows."""

from __future__ import annotations

from typing import Literal

import polars as pl

from deeplog_nb.frames import SESSIONS, TIME, InputError, check


def holdout(
    sessions: pl.DataFrame,
    share: float = 0.2,
    *,
    by: Literal["time", "order", "entries", "random"] = "time",
    seed: int = 0,
    force: bool = False,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split into (earlier, later) sessions, ``share`` of the sessions being the later ones.

    By ``"time"`` at which a session begins (sessions without times: in their order). No session is cut, but
    where there are too few to keep one back, or by ``"entries"``: there the last entries of each are kept back.
    By ``"random"`` (with a ``seed``) windows of one stream, or sessions that share lines, are refused unless
    ``force`` is set: their neighbours would be learnt by heart and then found again in the test.

    >>> sessions = pl.DataFrame({"session": list("abcde"), "position": [0] * 5, "key": [1] * 5, "count": [1] * 5,
    ...     "open": [False] * 5}, schema_overrides={c: pl.UInt32 for c in ("position", "key", "count")})
    >>> [part["session"].to_list() for part in holdout(sessions, 0.4)]
    [['a', 'b', 'c'], ['d', 'e']]
    """
    if not 0 < share < 1:
        raise InputError(f"share is {share}; it must lie between 0 and 1")
    if by not in ("time", "order", "entries", "random"):
        raise InputError(f"by is {by!r}; it is 'time', 'order', 'entries' or 'random'")
    if by == "entries":
        return _within(sessions, share)
    starts = _starts(check(sessions, SESSIONS, "sessions"))
    if by == "time":
        starts = starts.sort("time", maintain_order=True)
    if by == "random":
        if not force and (shared := _shared(sessions)):
            raise InputError(
                f"{shared}, so that a random split puts almost the same into both parts; "
                "split by='time', or set force=True and say so beside the result"
            )
        starts = starts.sample(fraction=1.0, shuffle=True, seed=seed)
    later = starts["session"].tail(round(len(starts) * share))
    if len(later) in (0, len(starts)):
        return _within(sessions, share)
    kept = pl.col("session").is_in(later.implode())
    return sessions.filter(~kept), sessions.filter(kept)


def _shared(sessions: pl.DataFrame) -> str:
    """What these sessions have in common that a random split would leak, or nothing."""
    if {"file", "line"} <= set(sessions.columns):
        twice = sessions.select(pl.struct("file", "line").is_duplicated().sum()).item()
        if twice:
            return f"{twice} entries are in more than one session"
    streams = sessions["session"].unique().str.replace(r"#\d+$", "")
    windows = int(streams.is_duplicated().sum())
    return f"{windows} sessions are windows of the same streams" if windows else ""


def _starts(sessions: pl.DataFrame) -> pl.DataFrame:
    """``session, time``: the first time that each session knows."""
    time = pl.col("time").drop_nulls().first() if "time" in sessions.columns else pl.lit(None, TIME)
    return sessions.group_by("session", maintain_order=True).agg(time=time)


def _within(sessions: pl.DataFrame, share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """For a file read as one session: the last entries of each are kept back, and neither part has ended."""
    kept = pl.col("position") >= (pl.len().over("session") * (1 - share)).ceil()
    start = pl.col("position") - pl.col("position").min().over("session")
    earlier = sessions.filter(~kept).with_columns(open=pl.lit(True))
    later = sessions.filter(kept).with_columns(position=start.cast(pl.UInt32), open=pl.lit(True))
    return earlier, later
