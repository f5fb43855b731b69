"""Two logs as one frame of entries, in which they can be compared; what cannot be is refused, and says why.

Sessions are compared with sessions. EVENTS, and sessions that are whole files, are read in windows of so many lines.
What differs is not looked for here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import EVENTS, SESSIONS, TIME, FrameError, InputError, check

PARTS: Final = 8  # of either log, in time
WINDOW: Final = 100  # lines of a file that count as one session, where there are no sessions
EMPTY: Final = {"time": TIME, "elapsed": pl.Float64(), "parameters": pl.List(pl.String())}


@dataclass(frozen=True)
class Sides:
    """The entries of both: ``side, session, part, position, key, count, elapsed, parameters``."""

    entries: pl.DataFrame  # side: whether it is the suspect log
    windows: bool  # a session is a window of WINDOW lines, cut wherever they are full

    @property
    def unit(self) -> str:
        """What is counted."""
        return "window" if self.windows else "session"

    @property
    def sizes(self) -> tuple[int, int]:
        """How many sessions, or windows, either log has."""
        per = self.entries.group_by("side", "session").agg(pl.col("count").first().cast(pl.Int64))
        first, second = (per.filter(pl.col("side") == side)["count"].sum() for side in (False, True))
        return int(first), int(second)


def sides(normal: pl.DataFrame, suspect: pl.DataFrame, templates: Templates | None) -> Sides:
    """The entries of both logs, or an error that says which of the two cannot be compared, and why."""
    if templates is not None and not isinstance(templates, Templates):
        raise InputError(f"templates: {_came(templates)}; give the Templates that parsed both logs, or leave them out")
    frames = {"normal": normal, "suspect": suspect}
    for name, frame in frames.items():
        _accept(frame, name, templates)
    windows = all(map(_whole_files, frames.values()))
    if not windows and any("position" not in frame.columns for frame in frames.values()):
        raise InputError(_mixed(frames))
    both = [_entries(frame, name, name == "suspect", windows) for name, frame in frames.items()]
    return Sides(pl.concat(both), windows)


def _came(value: object) -> str:
    return f"an object of type {type(value).__name__} came"


def _mixed(frames: dict[str, pl.DataFrame]) -> str:
    kinds = {name: "SESSIONS" if "position" in frame.columns else "EVENTS" for name, frame in frames.items()}
    told = " and ".join(f"{name} is {kind}" for name, kind in kinds.items())
    return f"{told}; give both as sessions, cut in the same way by sessionize, or both as events"


def _accept(frame: object, name: str, templates: Templates | None) -> None:
    """Refuse what is no frame of keys, and keys that are none of these templates'."""
    wanted = "give SESSIONS or EVENTS of the log, a polars DataFrame"
    if isinstance(frame, pl.LazyFrame):
        raise InputError(f"{name}: a LazyFrame came; {wanted}, as its collect() gives it")
    if not isinstance(frame, pl.DataFrame):
        raise InputError(f"{name}: {_came(frame)}; {wanted}")
    check(frame, {"key": EVENTS["key"]}, name)
    if templates is not None:
        _fit(frame, name, templates)


def _fit(frame: pl.DataFrame, name: str, templates: Templates) -> None:
    """Refuse keys that these templates do not have, or that have other parameters in them."""
    listed = frame.schema.get("parameters") == EVENTS["parameters"]
    has = pl.col("parameters").list.len().cast(pl.Int64) if listed else pl.lit(None, pl.Int64)
    places = {key: len(literals) - 1 for key, literals in templates.current.items()}
    known = pl.DataFrame(
        {"key": [*places], "places": [*places.values()]}, schema={"key": pl.UInt32, "places": pl.Int64}
    )
    met = frame.select("key", has=has).unique().filter(pl.col("key") > 0).join(known, on="key", how="left")
    other = met.filter(pl.col("places").is_null() | (pl.col("has") != pl.col("places"))).sort("key", "has")
    if len(other):
        key, found, wanted = other.select("key", "has", "places").row(0)
        said = (
            f"has {found} parameters, and in these templates {wanted}"
            if wanted is not None
            else f"is none of these {len(known)} templates"
        )
        raise InputError(f"{name}: key {key} {said}; parse both logs with the templates that you give")


def _whole_files(frame: pl.DataFrame) -> bool:
    """Whether there are no sessions: events as they were parsed, or each file one session that its end cut."""
    if "position" not in frame.columns:
        return True
    if not {"file", "session", "open"} <= set(frame.columns):
        return False
    return bool(frame.select((pl.col("open") & (pl.col("session") == pl.col("file").cast(pl.String))).all()).item())


def _entries(frame: pl.DataFrame, name: str, side: bool, windows: bool) -> pl.DataFrame:
    """The entries of the sessions that the log's end did not cut, or of windows of a log without sessions."""
    known = {column: kind for column, kind in EMPTY.items() if column in frame.columns}
    given = check(frame, ({} if windows else SESSIONS) | known, name)
    missing = [pl.lit(None, kind).alias(column) for column, kind in EMPTY.items() if column not in known]
    sessions = given.with_columns(*missing).pipe(_windows if windows else _closed)
    if sessions.is_empty():
        raise FrameError(f"{name}: holds no session that could be compared")
    began = pl.col("row").min().over("session").rank("dense")
    return (
        sessions.with_row_index("row")
        .with_columns(session=began.cast(pl.UInt32))
        .sort("session", "position")
        .with_columns(side=pl.lit(side), part=(pl.col("session") - 1) * PARTS // pl.col("session").max())
        .select("side", "session", "part", "position", "key", "count", "elapsed", "parameters")
    )


def _closed(sessions: pl.DataFrame) -> pl.DataFrame:
    kept = sessions.filter(~pl.col("open"))
    return kept if len(kept) else sessions  # windows cut by count are open, each of them


def _windows(events: pl.DataFrame) -> pl.DataFrame:
    """A session for each so many lines, file after file; what is left over is of the last. Waits are within a file."""
    file = pl.col("file").cast(pl.String) if "file" in events.columns else pl.lit("all")
    waited = pl.col("time").diff().over(file).dt.total_microseconds() / 1e6
    ordered = events.with_row_index("at").sort(pl.col("at").min().over(file), "at")
    at = pl.int_range(pl.len())
    window = pl.min_horizontal(at // WINDOW, max(len(events) // WINDOW - 1, 0))
    return ordered.with_columns(
        session=window.cast(pl.String),
        position=(at - window * WINDOW).cast(pl.UInt32),
        count=pl.lit(1, pl.UInt32),
        elapsed=pl.when(waited >= 0).then(waited),  # a clock that ran back has measured nothing
    )
