"""A labelled stream, entry after entry: each is judged first, then a person answers, then the method learns.

An entry's verdict stands once it is given: no later answer changes it. Judging ahead is only a saving: what was
judged ahead of an answer is judged again after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from deeplog_nb.evaluation.adaptive import Adaptive, Answered
from deeplog_nb.evaluation.stream import Flags, Stream
from deeplog_nb.sessions.windows import Ints

AHEAD: Final = 1024  # entries judged at once after an update; twice as many each time that all goes well
BUDGETS: Final = (10, 50, 200)


@dataclass
class Pass:
    """One pass through a stream: what was said of each entry, and what it took."""

    stream: Stream
    method: Answered
    flags: Flags = field(init=False)  # [N] as given before the entry could be learnt
    labels: int = 0  # answers that the person gave
    updates: int = 0  # of these, the ones that there was something to learn from
    judging: float = 0.0  # s
    learning: float = 0.0  # s

    def __post_init__(self) -> None:
        self.flags = np.zeros(len(self.stream), bool)
        self._known = np.full(len(self.stream.patterns[1]), -1, np.int8)  # what the method says of each pattern

    def look(self, start: int, stop: int) -> Flags:
        """What the method as it is now says of these entries; distinct patterns are asked once."""
        began = time.perf_counter()
        numbers, first = self.stream.patterns
        wanted = numbers[start:stop]
        new = np.unique(wanted[self._known[wanted] < 0])
        if len(new):
            self._known[new] = self.method.judge(self.stream.histories[first[new]], self.stream.keys[first[new]])
        self.judging += time.perf_counter() - began
        return np.asarray(self._known[wanted] == 1, bool)

    def confirm(self, entries: Ints) -> None:
        """The person said that these alarms are anomalies: what is an alarm stays one, so nothing is judged again."""
        self.labels += len(entries)
        self.method = self.method.confirm(self.stream.histories[entries], self.stream.keys[entries])

    def learn(self, entry: int) -> None:
        """The person said that this entry is normal."""
        began = time.perf_counter()
        at = slice(entry, entry + 1)
        self.method = self.method.learn(self.stream.histories[at], self.stream.keys[at])
        self._known[:] = -1
        self.labels += 1
        self.updates += 1
        self.learning += time.perf_counter() - began


Person = Callable[[Pass], None]


def nobody(done: Pass) -> None:
    """No answers: the method stays as it was trained."""
    done.flags[:] = done.look(0, len(done.stream))


def oracle(done: Pass) -> None:
    """Every alarm is answered at once; what was called normal is learnt before the next entry (paper, 5.3.2)."""
    at, ahead = 0, AHEAD
    while at < len(done.stream):
        stop = min(at + ahead, len(done.stream))
        found = done.look(at, stop)
        wrong = np.flatnonzero(found & ~done.stream.abnormal[at:stop])
        upto = at + int(wrong[0]) + 1 if len(wrong) else stop
        done.flags[at:upto] = found[: upto - at]
        done.confirm(at + np.flatnonzero(found[: upto - at] & done.stream.abnormal[at:upto]))
        if len(wrong):
            done.learn(upto - 1)
        at, ahead = upto, AHEAD if len(wrong) else 2 * ahead


def budget(done: Pass, *, answers: int) -> None:
    """So many answers, at even intervals: each time of the alarm pattern, not yet answered, that was most frequent.

    The answer is true of what the person can see: normal if none of the pattern's alarms so far was an alert.
    """
    numbers, _ = done.stream.patterns
    told, at = set[int](), 0
    for stop in np.linspace(0, len(done.stream), answers + 2).astype(int)[1:].tolist():
        done.flags[at:stop], at = done.look(at, stop), stop
        alarms = numbers[:stop][done.flags[:stop]]
        pattern = _most_frequent(alarms[~np.isin(alarms, [*told])])
        if pattern is None or done.labels == answers:
            continue
        told.add(pattern)
        entries = np.flatnonzero(done.flags[:stop] & (numbers[:stop] == pattern))
        if done.stream.abnormal[entries].any():
            done.confirm(entries[:1])
        else:
            done.learn(int(entries[0]))


def persons() -> dict[str, Person]:
    """Who answers, by the name of the row."""
    bounded = {f"{answers} answers": partial(budget, answers=answers) for answers in BUDGETS}
    return {"none": nobody, "all answered": oracle, **bounded}


def pass_through(stream: Stream, method: Adaptive, person: Person) -> Pass:
    """The stream gone through once by this method and this person."""
    done = Pass(stream, Answered(method))
    person(done)
    return done


def _most_frequent(alarms: Ints) -> int | None:
    """The most frequent pattern, the earlier of two as frequent."""
    found, first, counts = np.unique(alarms, return_index=True, return_counts=True)
    return int(found[np.lexsort((first, -counts))[0]]) if len(found) else None
