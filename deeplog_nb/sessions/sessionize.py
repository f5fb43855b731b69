"""EVENTS -> SESSIONS: by a column, by a regular expression on the message, by silence, or by count.

A record that names several ids joins each of them; a record that names none is in no session (it is not
lost: ``without_session`` gives it). Whether a session could still have gone on when the log ended is
said in ``open``, so that nobody takes the end of the log for the end of a task.
"""

from __future__ import annotations

import re
from datetime import timedelta

import polars as pl

from deeplog_nb.frames import SESSIONS, TIME, InputError, check
from deeplog_nb.lines.patterns import check_pattern

_NEEDED = {"key": pl.UInt32()}
_MESSAGE = {"message": pl.String()}
PATIENCE = 3  # a session is over after this many times the usual wait after its last key
USUAL = 0.99  # of those waits, so that one broken session does not keep all the others open
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
    silence = duration(gap)
    if silence is not None and not _timed(events):
        raise InputError("gap needs times, and none of these events has one; cut by count instead")
    if count is not None and count < 1:
        raise InputError(f"count is {count}; a session holds 1 entry at least")
    ordered = check(events, _NEEDED, "events").pipe(_in_time)
    named = ordered.with_columns(session=_file(ordered)) if by is None else ordered.pipe(_named, by)
    carried = [name for name in _CARRIED if name in named.columns]
    kept = named.select("session", "key", "_clock", *carried)
    end = pl.lit(ordered["_clock"].max(), TIME)
    return kept.pipe(_cut, silence, count).pipe(_place).pipe(_mark_open, end, by, silence).pipe(_finish, carried)


def without_session(events: pl.DataFrame, by: str | None) -> pl.DataFrame:
    """The events that :func:`sessionize` with this ``by`` puts into no session."""
    if by is None:
        return events.clear()
    return events.filter(ids_of(events, by).list.len() == 0)


def _named(events: pl.DataFrame, by: str) -> pl.DataFrame:
    named = events.with_columns(session=ids_of(events, by)).explode("session").filter(pl.col("session").is_not_null())
    if named.is_empty() and len(events):
        raise InputError(
            f"no record names a session by {by!r}; a column or a regular expression with a group is wanted"
        )
    return named


def ids_of(events: pl.DataFrame, by: str) -> pl.Expr:
    """The list of ids that each event names."""
    if by in events.columns:
        several = isinstance(events.schema[by], pl.List)
        named = pl.col(by).cast(pl.List(pl.String)) if several else pl.concat_list(pl.col(by).cast(pl.String))
    else:
        _must_be_pattern(by, check(events, _MESSAGE, "events").columns)
        named = pl.col("message").str.extract_all(by).list.eval(pl.element().str.extract(by, 1))
    return named.fill_null([]).list.drop_nulls().list.unique(maintain_order=True)


def _must_be_pattern(by: str, names: list[str]) -> None:
    columns = ", ".join(name for name in names if not name.startswith("_"))
    check_pattern(by, f"{by!r} is no column ({columns})")
    if re.search(r"(?<!\\)\((?!\?[^P<])", by) is None:
        raise InputError(f"{by!r} is no column ({columns}), and as a pattern it lacks a group, as in 'id=(\\w+)'")


def _in_time(events: pl.DataFrame) -> pl.DataFrame:
    """Events in the order in which sessions read them; without any times, as they came.

    One without a time stays below the one above it in its file: that one's time is its ``_clock``. Where there
    are no times at all, the log's clock is its lines, one a second.
    """
    lines = pl.from_epoch(pl.int_range(pl.len()), time_unit="s").cast(TIME)
    time = pl.col("time") if _timed(events) else lines
    clock = time.forward_fill().backward_fill().over(_file(events))
    return events.with_columns(_clock=clock).sort("_clock", maintain_order=True, nulls_last=False)


def _timed(events: pl.DataFrame) -> bool:
    return "time" in events.columns and (events.is_empty() or events["time"].null_count() < len(events))


def _file(events: pl.DataFrame) -> pl.Expr:
    return pl.col("file").cast(pl.String) if "file" in events.columns else pl.lit("all")


def _cut(named: pl.DataFrame, silence: timedelta | None, count: int | None) -> pl.DataFrame:
    """Part each session by silence, then by count: name, name#2, name#3. ``_cut``: the count ended this part."""
    quiet = pl.lit(False) if silence is None else (pl.col("_clock").diff() > silence).fill_null(False)
    full = pl.lit(False) if count is None else (pl.col("_at") > 0) & (pl.col("_at") % count == 0)
    return (
        named.with_columns(_stretch=quiet.cast(pl.UInt32).cum_sum().over("session"))
        .with_columns(_at=pl.int_range(pl.len()).over("session", "_stretch"))
        .with_columns(_full=full)
        .with_columns(_part=pl.col("_stretch") + pl.col("_full").cast(pl.UInt32).cum_sum().over("session") + 1)
        .with_columns(_cut=pl.col("_full").shift(-1, fill_value=False).over("session"))
        .pipe(_number)
    )


def _number(parts: pl.DataFrame) -> pl.DataFrame:
    """The part's number behind the session's name; more than one # where an id holds one already."""
    mark = "#"
    while parts["session"].str.contains(mark, literal=True).any():
        mark += "#"
    numbered = pl.concat_str("session", pl.lit(mark), "_part")
    return parts.with_columns(session=pl.when(pl.col("_part") > 1).then(numbered).otherwise("session"))


def _place(named: pl.DataFrame) -> pl.DataFrame:
    time = pl.col("time") if "time" in named.columns else pl.lit(None, TIME)
    elapsed = time.diff().dt.total_microseconds() / 1e6
    return (
        named.with_row_index("_row")
        .sort(pl.col("_row").min().over("session"), maintain_order=True)
        .with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt32).over("session"))
        .with_columns(elapsed=pl.when(pl.col("position") > 0).then(elapsed))
    )


def _mark_open(placed: pl.DataFrame, end: pl.Expr, by: str | None, silence: timedelta | None) -> pl.DataFrame:
    """Whether the session was cut, or the log ended within its own horizon: its longest waits, with room."""
    if silence is None and by is None:
        return placed.with_columns(open=pl.lit(True))  # a file, or a window of it, ends where it was cut
    left = (end - pl.col("_clock").last().over("session")).dt.total_microseconds() / 1e6
    if silence is not None:
        near = placed.with_columns(open=left <= silence.total_seconds())
    else:
        known = placed.join(_horizons(placed), on="session", maintain_order="left")
        near = known.with_columns(open=left <= pl.col("horizon"))
    return near.with_columns(open=pl.col("open").fill_null(False) | pl.col("_cut").last().over("session"))


def _horizons(placed: pl.DataFrame) -> pl.DataFrame:
    """``session, horizon``: some times as long as sessions usually go on waiting after this one's last key."""
    wait = (pl.col("_clock").shift(-1) - pl.col("_clock")).over("session").dt.total_microseconds() / 1e6
    waits = placed.select("session", "key", wait=wait)
    usual = waits.group_by("key").agg(pl.col("wait").quantile(USUAL, "higher"))
    last = waits.group_by("session").agg(pl.col("key").last()).join(usual, on="key")
    return last.select("session", horizon=PATIENCE * pl.col("wait").fill_null(0.0))


def _finish(placed: pl.DataFrame, carried: list[str]) -> pl.DataFrame:
    finished = placed.with_columns(count=pl.lit(1, pl.UInt32))
    return check(finished.select(*SESSIONS, "elapsed", *carried), SESSIONS, "sessions")


def duration(gap: str | timedelta | None) -> timedelta | None:
    """A silence as people write it, as a time."""
    if isinstance(gap, timedelta) and gap < timedelta(0):
        raise InputError(f"gap is {gap}; a silence has no negative length")
    if gap is None or isinstance(gap, timedelta):
        return gap
    if not isinstance(gap, str):
        raise InputError(f"gap {gap!r} is no duration; write it as 500ms, 90s, 10m, 2h or 1d, or give a timedelta")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", gap.strip())
    if not found:
        raise InputError(f"gap {gap!r} is no duration; write it as 500ms, 90s, 10m, 2h or 1d")
    unit = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: float(found[1])})
