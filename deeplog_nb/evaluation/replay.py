"""A labelled stream replayed, entry after entry: judged first, then a person answers, then the learner learns.

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

from deeplog_nb.evaluation.learners import Learner
from deeplog_nb.evaluation.stream import Flags, Stream
from deeplog_nb.sessions.windows import Ints

AHEAD: Final = 64  # entries judged at once after an update; twice as many each time that all goes well
BUDGETS: Final = (10, 50, 200)


@dataclass
class Replay:
    """One pass through a stream: what was said of each entry, and what it took."""

    stream: Stream
    learner: Learner
    flags: Flags = field(init=False)  # [N] as given before the entry could be learnt
    labels: int = 0  # answers that the person gave
    updates: int = 0  # of these, the ones that there was something to learn from
    judging: float = 0.0  # s
    learning: float = 0.0  # s

    def __post_init__(self) -> None:
        self.flags = np.zeros(len(self.stream), bool)
        self._known = np.full(len(self.stream.patterns[1]), -1, np.int8)  # what this learner says of each pattern

    def look(self, start: int, stop: int) -> Flags:
        """What the learner as it is now says of these entries; distinct patterns are asked once."""
        began = time.perf_counter()
        numbers, first = self.stream.patterns
        wanted = numbers[start:stop]
        new = np.unique(wanted[self._known[wanted] < 0])
        if len(new):
            self._known[new] = self.learner.judge(self.stream.histories[first[new]], self.stream.keys[first[new]])
        self.judging += time.perf_counter() - began
        return np.asarray(self._known[wanted] == 1, bool)

    def learn(self, entry: int) -> None:
        """The person said that this entry is normal."""
        began = time.perf_counter()
        at = slice(entry, entry + 1)
        self.learner = self.learner.learn(self.stream.histories[at], self.stream.keys[at])
        self._known[:] = -1
        self.updates += 1
        self.learning += time.perf_counter() - began


Person = Callable[[Replay], None]


def nobody(replay: Replay) -> None:
    """No answers: the learner stays as it was trained."""
    replay.flags[:] = replay.look(0, len(replay.stream))


def oracle(replay: Replay) -> None:
    """Every false positive is called normal at once and learnt before the next entry is judged (paper, 5.3.2)."""
    at, ahead = 0, AHEAD
    while at < len(replay.stream):
        stop = min(at + ahead, len(replay.stream))
        found = replay.look(at, stop)
        wrong = np.flatnonzero(found & ~replay.stream.abnormal[at:stop])
        if not len(wrong):
            replay.flags[at:stop], at, ahead = found, stop, 2 * ahead
            continue
        entry = at + int(wrong[0])
        replay.flags[at : entry + 1] = found[: wrong[0] + 1]
        replay.labels += 1
        replay.learn(entry)
        at, ahead = entry + 1, AHEAD


def budget(replay: Replay, *, answers: int) -> None:
    """So many answers, at even intervals: each time of the alarm pattern, not yet answered, that was most frequent.

    The answer is true of what the person can see: normal if none of the pattern's alarms so far was an alert.
    """
    numbers, _ = replay.stream.patterns
    told, at = set[int](), 0
    for stop in np.linspace(0, len(replay.stream), answers + 2).astype(int)[1:].tolist():
        replay.flags[at:stop], at = replay.look(at, stop), stop
        alarms = numbers[:stop][replay.flags[:stop]]
        pattern = _most_frequent(alarms[~np.isin(alarms, [*told])])
        if pattern is None or replay.labels == answers:
            continue
        told.add(pattern)
        replay.labels += 1
        entries = np.flatnonzero(replay.flags[:stop] & (numbers[:stop] == pattern))
        if not replay.stream.abnormal[entries].any():
            replay.learn(int(entries[0]))


def persons() -> dict[str, Person]:
    """Who answers, by the name of the row."""
    bounded = {f"{answers} answers": partial(budget, answers=answers) for answers in BUDGETS}
    return {"none": nobody, "all answered": oracle, **bounded}


def replay(stream: Stream, learner: Learner, person: Person) -> Replay:
    """The stream gone through once with this learner and this person."""
    done = Replay(stream, learner)
    person(done)
    return done


def _most_frequent(alarms: Ints) -> int | None:
    """The most frequent pattern, the earlier of two as frequent."""
    found, first, counts = np.unique(alarms, return_index=True, return_counts=True)
    return int(found[np.lexsort((first, -counts))[0]]) if len(found) else None
