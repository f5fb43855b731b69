"""One row of DIAGNOSES -> what is painted of it: where the session left the workflow, or what came in place but is odd.

A diagnosis says where an alarm is, and its rule what is wrong there: an entry that came too late left nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from deeplog_nb.frames import InputError
from deeplog_nb.views.axes import counted, duration
from deeplog_nb.views.lettering import LIMIT
from deeplog_nb.workflow.way import Step, Taken, Way

ODD: Final = {"timing": "unusual time", "value": "unusual value"}  # rules on an entry at its place
RARE: Final = "rare here"
SLOW, QUICK = "slow", "quick"
Row = Mapping[str, Any]


class Mark(NamedTuple):
    """An entry that came where it may, but is odd, and the edges that took unusually long or short."""

    step: Step
    word: str  # what is odd about it
    kinds: Mapping[Taken, str]
    told: Mapping[Taken, str]  # how long they took, and what is usual


class Painted(NamedTuple):
    """What a diagnosis paints; no way where none has a place: no task fits, or the session as a whole is meant."""

    way: Way | None
    mark: Mark | None
    said: str  # by the diagnosis; may be empty
    unseen: str = ""  # the message that fits no template


def painted(rows: pl.DataFrame, steps: pl.DataFrame, edges: pl.DataFrame) -> Painted:
    """What is painted of one diagnosis over these STEPS and EDGES; InputError for any other number of rows."""
    if len(rows) != 1:
        raise InputError(f"session holds {counted(len(rows), 'row')} of DIAGNOSES; give one: diagnoses.head(1)")
    row = rows.row(0, named=True)
    said = (row["sentence"] or "")[: 8 * LIMIT].replace("<*>", "…")
    if row["task"] is None or (row["rule"] == "counts" and row["seen"] is None):
        return Painted(None, None, said)
    if row["rule"] not in ODD and row["seen"] not in row["expected"]:
        left = row["task"], row["last_good"]
        way = Way({}, left, tuple(row["expected"]) or (None,), row["seen"], row["position"])
        return Painted(way, None, said, row["text"] or "" if row["seen"] == 0 else "")
    return _in_place(row, steps, edges, said)


def _in_place(row: Row, steps: pl.DataFrame, edges: pl.DataFrame, said: str) -> Painted:
    """An entry at a step of the task; nothing where no step has its key, as that of a background message."""
    task, keys = row["task"], _keys(steps, row["task"])
    ends = edges.filter(pl.col("task") == task).select("source", "target", "median_elapsed").rows()
    ways = [(s, t, usual) for s, t, usual in ends if t and keys.get(t) == row["seen"]]
    if not ways:
        return Painted(None, None, said)
    source, target, _ = min(ways, key=lambda way: (way[0] != row["last_good"], way[2] != row["usual"], way[0] != 0))
    own, slow = (task, source, target), row["slow"] or []
    late = {(task, s, t): usual for s, t, usual in ends if [keys.get(s), keys.get(t)] == slow}
    kinds, told = dict.fromkeys(late, SLOW), {way: _slow(row["slow_elapsed"], usual) for way, usual in late.items()}
    kind = _kind(row)
    if kind:
        kinds[own], told[own] = kind, _took(row["elapsed"], row["usual"])
    taken = dict.fromkeys(kinds, ()) | {own: (row["position"] + 1,)}
    word = {SLOW: "came late", QUICK: "came early", "": ODD.get(row["rule"], RARE)}[kind]
    return Painted(Way(taken, entries=1), Mark((task, target), word, kinds, told), said)


def _keys(steps: pl.DataFrame, task: int) -> dict[int, int | None]:
    return dict(steps.filter(pl.col("task") == task).select("step", "key").rows())


def _took(elapsed: float, usual: float) -> str:
    return f"{duration(elapsed)}, usually {duration(usual)}"


def _slow(elapsed: float | None, usual: float | None) -> str:
    """What the slowest edge took; where nobody knows, what is usual."""
    if usual is None:
        return ""
    return f"slow, usually {duration(usual)}" if elapsed is None else _took(elapsed, usual)


def _kind(row: Row) -> str:
    """Whether the entry's own edge is what was odd, and how; empty where it was not, or where no time is known."""
    if row["rule"] != "timing" or row["elapsed"] is None or row["usual"] is None:
        return ""
    return SLOW if row["elapsed"] > row["usual"] else QUICK
