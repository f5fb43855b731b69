"""VERDICTS -> findings: what happened, in words, with the lines around it. No HTML; report and CLI share it.

It judges nothing: which alarms there are, and their order, is what ``verdicts.patterns`` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import polars as pl

from deeplog_nb.case.words import title
from deeplog_nb.detector import Detector
from deeplog_nb.frames import LINES, VERDICTS, check
from deeplog_nb.verdicts.patterns import patterns

AFTER: Final = 2  # lines shown after the alarm
PLACE: Final = {name: LINES[name] for name in ("file", "line", "time")}
MESSAGES: Final = PLACE | {"message": LINES["message"]}
ABSENT: Final = "(this line is not among the lines given)"


class Near(NamedTuple):
    """A line of the session around its alarm; where a session ended early, its last line is the alarm's."""

    file: str
    line: int
    time: datetime | None
    message: str
    is_alarm: bool


class Expected(NamedTuple):
    """What the model held probable in the place of the alarm."""

    template: str
    probability: float


@dataclass(frozen=True)
class Finding:
    """One pattern of alarms: what happened, how often, and where it is worst."""

    rule: str
    title: str  # what happened, in one sentence
    why: str  # the numbers behind it
    sessions: int  # that have it as their worst alarm; lines, where the session is None
    session: str | None
    file: str
    line: int
    time: datetime | None
    context: tuple[Near, ...]
    expected: tuple[Expected, ...]  # most probable first; empty for a line that is in no session


def findings(
    detector: Detector, lines: pl.DataFrame, verdicts: pl.DataFrame, *, context: int = 3, most: int | None = 50
) -> list[Finding]:
    """The ``most`` worst patterns of alarms, worst first, with ``context`` lines before each and two after.

    ``verdicts`` are the detector's for these ``lines``; leave out whole sessions, if any, not rows of one. The
    lines around an alarm are its session's own; for a line that is in no session, its neighbours in the file.
    """
    check(lines, MESSAGES, "lines")
    checked = check(verdicts, VERDICTS | PLACE, "verdicts")
    found = patterns(checked, per=detector.cut.unit).with_row_index("finding")
    shown = found if most is None else found.head(most)
    near = _around(shown, verdicts, back=max(context, detector.keys.settings.history))
    own = near.filter(pl.col("key").is_not_null() & (pl.col("distance") >= -context))
    seen = pl.concat([own.select(_NEAR), _neighbours(shown, lines, back=context)]).pipe(with_messages, lines)
    told = seen.sort("finding", "distance").partition_by("finding", as_dict=True)
    return [_finding(detector, row, near, told.get((row["finding"],))) for row in shown.to_dicts()]


_NEAR: Final = ("finding", "distance", "file", "line", "time")


def with_messages(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The few rows, each with the ``message`` of its file and line."""
    wanted = (
        lines.select("file", "line", "message").join(rows, on=["file", "line"], how="semi").unique(["file", "line"])
    )
    return rows.join(wanted, on=["file", "line"], how="left", maintain_order="left").with_columns(
        pl.col("message").fill_null(ABSENT)
    )


def _around(shown: pl.DataFrame, verdicts: pl.DataFrame, *, back: int) -> pl.DataFrame:
    """The judged entries around each finding, by their ``distance`` from the line that stands for the alarm."""
    at = pl.col("position").cast(pl.Int64) - pl.col("key").is_null()  # an end row stands behind the last line
    distances = pl.DataFrame({"distance": range(-back, AFTER + 1)}, schema={"distance": pl.Int64})
    wanted = (
        shown.filter(pl.col("session").is_not_null())
        .select("finding", "session", at=at)
        .join(distances, how="cross")
        .select(
            "finding", "session", "distance", position=(pl.col("at") + pl.col("distance")).cast(pl.UInt32, strict=False)
        )
    )
    return verdicts.join(wanted, on=["session", "position"]).sort("finding", "distance")


def _neighbours(shown: pl.DataFrame, lines: pl.DataFrame, *, back: int) -> pl.DataFrame:
    """The lines around each finding that is in no session, as they stand in the file."""
    numbered = lines.select("file", "line", "time").with_row_index("_row")
    alone = shown.filter(pl.col("session").is_null()).select("finding", "file", "line")
    distances = pl.DataFrame({"distance": range(-back, AFTER + 1)}, schema={"distance": pl.Int64})
    places = (
        numbered.join(alone, on=["file", "line"])
        .select("finding", "file", at=pl.col("_row").cast(pl.Int64))
        .join(distances, how="cross")
        .with_columns(_row=(pl.col("at") + pl.col("distance")).cast(pl.UInt32, strict=False))
    )
    return numbered.join(places, on=["file", "_row"]).select(_NEAR)


def _finding(detector: Detector, row: Mapping[str, Any], near: pl.DataFrame, told: pl.DataFrame | None) -> Finding:
    context = tuple(
        Near(file, line, time, message, distance == 0)
        for distance, file, line, time, message in ([] if told is None else told.drop("finding").rows())
    )
    message = next((each.message for each in context if each.is_alarm), "")
    expected = _expected(detector, row, near)
    return Finding(
        rule=row["rule"],
        title=title(row, message, detector.templates, expected),
        context=context,
        expected=expected,
        session=None if detector.cut.whole_files else row["session"],
        **{name: row[name] for name in ("why", "sessions", "file", "line", "time")},
    )


def _expected(detector: Detector, row: Mapping[str, Any], near: pl.DataFrame) -> tuple[Expected, ...]:
    if row["session"] is None:
        return ()
    session = near.filter(pl.col("finding") == row["finding"])
    expected = detector.expected(session, row["session"], row["position"])
    return tuple(Expected(*each) for each in expected.select("template", "probability").rows())


def shown_files(files: Sequence[str]) -> dict[str, str]:
    """Each file under the shortest name that tells it apart: its path below the folder that all share.

    >>> shown_files(["/var/log/a/sys.log", "/var/log/b/sys.log"])
    {'/var/log/a/sys.log': 'a/sys.log', '/var/log/b/sys.log': 'b/sys.log'}
    >>> shown_files(["/var/log/sys.log"])
    {'/var/log/sys.log': 'sys.log'}
    """
    folders = [file.split("/")[:-1] for file in files]
    shared = 0
    while folders and all(len(f) > shared and f[shared] == folders[0][shared] for f in folders):
        shared += 1
    return {file: "/".join(file.split("/")[shared:]) for file in files}
