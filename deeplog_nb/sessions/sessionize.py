"""EVENTS -> SESSIONS: by a column, by a regular expression on the message, by silence, or by count.

A record that names several ids joins each of them; a record that names none is in no session (it is not
lost: ``without_session`` gives it). Whether a session could still have gone on when the log ended is
said in ``open``, so that nobody takes the end of the log for the end of a task.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import polars as pl

from deeplog_nb.frames import SESSIONS, InputError, check

_NEEDED = {"key": pl.UInt32()}
PATIENCE = 3  # a session is over after this many times the longest wait that it, or its last key, has seen
_CARRIED = ("file", "line", "offset", "time", "parameters")  # kept in SESSIONS where the events have them


def sessionize(
    events: pl.DataFrame, *, by: str | None = None, gap: str | timedelta | None = None, count: int | None = None
) -> pl.DataFrame:
    r"""SESSIONS of these events, in the order in which they begin.

    ``by`` is a column, else a regular expression whose first group is the session's id in the message.
    ``gap`` ("10m", "90s", a timedelta) ends a session after so long a silence; ``count`` cuts a file into
    windows of so many entries. With none of the three each file is one session, read in windows.

    >>> events = pl.DataFrame({"message": ["a blk_1", "b blk_2", "c blk_1 blk_2"], "key": [1, 2, 3]},
    ...                       schema_overrides={"key": pl.UInt32})
    >>> sessionize(events, by=r"(blk_\d+)").select("session", "position", "key")
    shape: (4, 3)
    ┌─────────┬──────────┬─────┐
    │ session ┆ position ┆ key │
    │ ---     ┆ ---      ┆ --- │
    │ str     ┆ u32      ┆ u32 │
    ╞═════════╪══════════╪═════╡
    │ blk_1   ┆ 0        ┆ 1   │
    │ blk_1   ┆ 1        ┆ 3   │
    │ blk_2   ┆ 0        ┆ 2   │
    │ blk_2   ┆ 1        ┆ 3   │
    └─────────┴──────────┴─────┘
    """
    silence = _duration(gap)
    if silence is not None and "time" not in events.columns:
        raise InputError("gap needs the column time, which these events have not; cut by count instead")
    ordered = check(events, _NEEDED, "events").pipe(_in_time)
    named = ordered.pipe(_named, by) if by else ordered.with_columns(session=_file(ordered))
    if silence is not None:
        named = named.pipe(_cut, pl.col("time").diff().over("session") > silence)
    if count is not None:
        named = named.pipe(_cut, pl.int_range(pl.len()).over("session") % count == 0)
    end = events["time"].max() if _timed(events) else None
    return named.pipe(_place).pipe(_mark_open, end, by=by, silence=silence).pipe(_finish)


def without_session(events: pl.DataFrame, by: str | None) -> pl.DataFrame:
    """The events that :func:`sessionize` with this ``by`` puts into no session."""
    if by is None:
        return events.clear()
    return events.filter(_ids(events, by).list.len() == 0)


def _named(events: pl.DataFrame, by: str) -> pl.DataFrame:
    named = events.with_columns(session=_ids(events, by)).explode("session").filter(pl.col("session").is_not_null())
    if named.is_empty():
        raise InputError(
            f"no record names a session by {by!r}; a column or a regular expression with a group is wanted"
        )
    return named


def _ids(events: pl.DataFrame, by: str) -> pl.Expr:
    """The list of ids that each event names."""
    if by in events.columns:
        return pl.concat_list(pl.col(by).cast(pl.String)).list.drop_nulls()
    _must_be_pattern(by, events.columns)
    found = pl.col("message").str.extract_all(by)
    return found.list.eval(pl.element().str.extract(by, 1)).list.drop_nulls().list.unique(maintain_order=True)


def _must_be_pattern(by: str, columns: list[str]) -> None:
    try:
        pl.select(pl.lit("").str.extract(by, 1))
    except pl.exceptions.ComputeError as error:
        raise InputError(f"{by!r} is no column ({', '.join(columns)}) and no linear-time pattern: {error}") from error
    if re.search(r"(?<!\\)\((?!\?[^P<])", by) is None:
        raise InputError(
            f"{by!r} is no column ({', '.join(columns)}), and as a pattern it lacks a group, as in 'id=(\\w+)'"
        )


def _in_time(events: pl.DataFrame) -> pl.DataFrame:
    """Events in the order in which sessions read them; without a time, as they came."""
    return events.sort("time", maintain_order=True, nulls_last=False) if _timed(events) else events


def _timed(events: pl.DataFrame) -> bool:
    return "time" in events.columns and events["time"].null_count() == 0


def _file(events: pl.DataFrame) -> pl.Expr:
    return pl.col("file").cast(pl.String) if "file" in events.columns else pl.lit("all")


def _cut(named: pl.DataFrame, starts: pl.Expr) -> pl.DataFrame:
    """Number the parts of each session that begin where ``starts`` is true: name, name#2, name#3."""
    part = starts.fill_null(False).cast(pl.UInt32).cum_sum().over("session")
    first = part.first().over("session")
    return named.with_columns(
        session=pl.when(part > first).then(pl.format("{}#{}", "session", part - first + 1)).otherwise("session")
    )


def _place(named: pl.DataFrame) -> pl.DataFrame:
    return (
        named.with_row_index("_row")
        .sort(pl.col("_row").min().over("session"), maintain_order=True)
        .drop("_row")
        .with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt32).over("session"), elapsed=_elapsed(named))
    )


def _elapsed(events: pl.DataFrame) -> pl.Expr:
    if "time" not in events.columns:
        return pl.lit(None, pl.Float64)
    return pl.col("time").diff().over("session").dt.total_microseconds() / 1e6


def _mark_open(placed: pl.DataFrame, end: datetime | None, *, by: str | None, silence: timedelta | None) -> pl.DataFrame:
    """Whether the log ended within the session's own horizon: its longest waits, with room."""
    if silence is None and by is None:
        return placed.with_columns(open=pl.lit(True))  # a file, or a window of it, ends where it was cut
    if end is None:
        return placed.with_columns(open=pl.lit(False))
    if silence is not None:
        horizon = placed.select("session", horizon=pl.lit(silence.total_seconds())).unique()
    else:
        horizon = _horizons(placed)
    left = (pl.lit(end) - pl.col("time").last().over("session")).dt.total_microseconds() / 1e6
    return placed.join(horizon, on="session", maintain_order="left").with_columns(open=left <= pl.col("horizon"))


def _horizons(placed: pl.DataFrame) -> pl.DataFrame:
    """``session, horizon``: some times the longest wait that the session, or its last key anywhere, has seen."""
    waits = placed.select("session", "key", "elapsed", wait=pl.col("elapsed").shift(-1).over("session"))
    after = waits.group_by("key").agg(pl.col("wait").max())
    return (
        waits.group_by("session")
        .agg(pl.col("key").last(), own=pl.col("elapsed").max())
        .join(after, on="key")
        .select("session", horizon=PATIENCE * pl.max_horizontal("own", "wait").fill_null(0.0))
    )


def _finish(placed: pl.DataFrame) -> pl.DataFrame:
    carried = [name for name in _CARRIED if name in placed.columns]
    finished = placed.with_columns(count=pl.lit(1, pl.UInt32))
    return check(finished.select(*SESSIONS, "elapsed", *carried), SESSIONS, "sessions")


def _duration(gap: str | timedelta | None) -> timedelta | None:
    if gap is None or isinstance(gap, timedelta):
        return gap
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", gap.strip())
    if not found:
        raise InputError(f"gap {gap!r} is no duration; write it as 500ms, 90s, 10m, 2h or 1d")
    unit = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: float(found[1])})
