"""A generated log with its truth, per session and per line, and how it goes to disk.

How logs are made is not said here.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.data.acceptor import Acceptor
from deeplog_nb.data.runs import Run

KINDS: Final = (
    "missing_step",
    "extra_step",
    "swapped_order",
    "wrong_branch",
    "cut_short",
    "unseen_message",
    "slow_step",
    "abnormal_value",
)
"""What can be planted, each kind by itself and countable."""

TRUTH: Final = {
    "session": pl.String(),
    "anomalous": pl.Boolean(),
    "kind": pl.String(),  # null = normal
    "line": pl.UInt64(),  # 1-based physical line at which it first shows
    "level": pl.Float64(),  # slow step, abnormal value: multiple of the normal 99 % value
    "step": pl.String(),  # the step that is missing, extra, slow …
    "impossible": pl.Boolean(),  # no normal session has these keys in this order
    "open": pl.Boolean(),  # the log ended before the session did
}

LINE_TRUTH: Final = {
    "line": pl.UInt64(),
    "session": pl.String(),  # null = background
    "kind": pl.String(),  # null = normal
    "step": pl.String(),  # name of the message: lines with one step share one template
    "task": pl.String(),  # null = background
}

SMALL = 2_000  # lines up to which the truth per line is written too


class Record(NamedTuple):
    """One line to be: when, what, and whose."""

    time: int
    text: str
    step: str
    session: str | None = None
    kind: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Generated:
    """A raw log, one record per line in time order, and what is true of it."""

    text: str
    truth: pl.DataFrame
    lines: pl.DataFrame

    def __repr__(self) -> str:
        planted = self.truth["anomalous"].sum()
        sessions = self.truth["session"].drop_nulls().len()
        return f"Generated({self.lines.height} lines, {sessions} sessions, {planted} anomalous)"

    def write(self, folder: str | Path, name: str = "generated.log.gz") -> Path:
        """Path of the log written into the folder, gzipped if so named, with ``truth.csv`` beside it.

        A log of up to 2,000 lines gets ``lines.csv`` too.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        raw = self.text.encode()
        (folder / name).write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
        self.truth.write_csv(folder / "truth.csv")
        if self.lines.height <= SMALL:
            self.lines.write_csv(folder / "lines.csv")
        return folder / name


def assemble(runs: Iterable[Run], records: Iterable[Record], acceptor: Acceptor) -> Generated:
    """The log of all records in time order, with the truth of all runs in order of appearance.

    >>> from deeplog_nb.data.grammar import Step
    >>> from deeplog_nb.data.runs import Beat
    >>> assemble([Run("a", (Beat("on", 5, 5),))], [Record(5, "VM on", "on", "a")], Acceptor(Step("on")))
    Generated(1 lines, 1 sessions, 0 anomalous)
    """
    ordered = sorted(records, key=lambda record: record.time)  # stable: equal instants stay in their order
    lines = _lines(ordered)
    places = dict(lines.drop_nulls("session").group_by("session", maintain_order=True).agg("line").rows())
    known = {run.session: run for run in runs}
    rows = [_row(known[session], place, acceptor) for session, place in places.items()]
    text = "".join(f"{record.text}\n" for record in ordered)
    return Generated(text, pl.DataFrame(rows, schema=TRUTH, orient="row"), lines)


def streamed(ordered: Sequence[Record], truth: pl.DataFrame) -> Generated:
    """The log of records in time order that belong to no session, with the truth about it."""
    return Generated("".join(f"{record.text}\n" for record in ordered), truth, _lines(ordered))


def _lines(ordered: Sequence[Record]) -> pl.DataFrame:
    rows = [(n, one.session, one.kind, one.step, one.task) for n, one in enumerate(ordered, 1)]
    return pl.DataFrame(rows, schema=LINE_TRUTH, orient="row")


def _row(run: Run, place: list[int], acceptor: Acceptor) -> tuple[object, ...]:
    planted = run.planted
    possible = acceptor.begins(run.keys) if run.open else acceptor.reject(run.keys) is None
    if planted is None:
        return (run.session, False, None, None, None, None, not possible, run.open)
    line = place[planted.index]
    return (run.session, True, planted.kind, line, planted.level, planted.step, not possible, run.open)
