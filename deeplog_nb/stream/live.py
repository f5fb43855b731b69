"""One session that is not over yet: no more of it than judging its next entry and its end needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SHAPES: Final = 256  # messages that fit no template, kept of one session
MORE: Final = "\u2026"  # stands for all the others
Keys = tuple[int, ...]
Past = dict[tuple[int, int], Floats]  # of each series of values, told by its key and the key before, the last rows


@dataclass(slots=True)
class Live:
    """A session's part. Keys, not codes: a model whose vocabulary has grown can go on with it."""

    id: str
    part: int  # 1, 2, …: how often the id had begun by now
    serial: int  # sessions are numbered as they begin
    length: int = 0
    history: Keys = ()  # the last keys, at most as many as the key model looks back on
    counts: dict[int, int] = field(default_factory=dict)  # how often each key came; empty where sessions are files
    flagged: set[int] = field(default_factory=set)  # keys at which a rule of order or counts fired
    shapes: list[str] = field(default_factory=list)  # of its messages that fit no template, up to so many
    passed: list[list[Any]] = field(default_factory=list)  # alarms that wait for its end: key, shape, rules, score, why
    loud: bool = False  # one of its alarms did not wait
    clock: int = 0  # when it was last heard of, in microseconds
    time: int | None = None  # of its last record, as the record states it
    file: str = ""
    line: int = 0
    past: Past = field(default_factory=dict)  # where the histories of values begin with each session

    def strange(self, shape: str) -> None:
        """Remember a message that fits no template; where there are too many, that there were more."""
        if len(self.shapes) < SHAPES:
            self.shapes.append(shape if len(self.shapes) < SHAPES - 1 else MORE)

    def facts(self) -> dict[str, Any]:
        """The state as JSON takes it; numbers come back exactly."""
        told = {name: getattr(self, name) for name in ("part", "serial", "length", "history", "clock", "time")}
        told |= {"file": self.file, "line": self.line, "counts": list(self.counts.items())}
        told |= {"flagged": sorted(self.flagged), "shapes": self.shapes, "passed": self.passed, "loud": self.loud}
        return told | {"past": [[*key, listed(rows)] for key, rows in self.past.items()]}

    @classmethod
    def of(cls, name: str, facts: Mapping[str, Any]) -> Live:
        """The session that told these facts."""
        told = dict(facts)
        past = {(key, before): arrayed(rows) for key, before, rows in told.pop("past")}
        history, counts = tuple(told.pop("history")), dict(told.pop("counts"))
        return cls(name, history=history, counts=counts, flagged={*told.pop("flagged")}, past=past, **told)


def listed(rows: Floats) -> list[list[float | None]]:
    """Rows as JSON takes them; what is no number is null.

    >>> listed(np.array([[0.1, np.nan]])), arrayed([[0.1, None]]).tolist()
    ([[0.1, None]], [[0.1, nan]])
    """
    return [[None if value != value else value for value in row] for row in rows.tolist()]


def arrayed(rows: list[list[float | None]]) -> Floats:
    """The rows that :func:`listed` told."""
    return np.array(rows, dtype=np.float64)
