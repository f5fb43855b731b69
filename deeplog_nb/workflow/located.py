"""Where in the tasks a place of a session is: what came last, what may come, by which edge an entry came and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from deeplog_nb.workflow.kinds import Keys
from deeplog_nb.workflow.replay import START, Here, Placed, Tasks

TICK: Final = 0.01  # s: no range of waits is taken for narrower
ODD: Final = 3  # entries that no task allows, and more than half of them, and no task fits
Waits = Mapping[tuple[int, int, int], tuple[float | None, float | None]]  # task, source, target: median, 99 %
Times = Sequence[datetime | None]
Expected = Sequence[tuple[int | None, float]]  # key (none: the session's end) and probability, most probable first


class Edge(NamedTuple):
    """The edge that an entry came by; of several, from the step that came last."""

    source: int  # key
    target: int
    elapsed: float | None
    usual: float | None  # median
    late: float | None  # 99 of 100 take no longer

    @property
    def excess(self) -> float:
        """How far over its usual range it is: above 1 is late."""
        if self.elapsed is None or self.usual is None or self.late is None:
            return 0.0
        return (self.elapsed - self.usual) / max(self.late - self.usual, TICK)


@dataclass(frozen=True)
class Located:
    """Sessions replayed, and what is known of each place; what was replayed once is remembered."""

    tasks: Tasks
    waits: Waits
    _replayed: dict[Keys, list[Placed | None]] = field(default_factory=dict, compare=False)

    def replay(self, keys: Keys) -> list[Placed | None]:
        """Where each of these keys stands."""
        if keys not in self._replayed:
            self._replayed[keys] = self.tasks.replay(keys)
        return self._replayed[keys]

    def here(self, keys: Keys) -> Here:
        """Where a session is behind these keys."""
        return next((placed.here for placed in reversed(self.replay(keys)) if placed), START)

    def last(self, keys: Keys) -> tuple[int, int | None]:
        """Step and key of the last entry that is one of a task's; 0 and none before the first."""
        pairs = zip(reversed(self.replay(keys)), reversed(keys), strict=True)
        return next(((placed.step, key) for placed, key in pairs if placed and placed.step), (0, None))

    def first_misfit(self, keys: Keys) -> int:
        """The first entry that no task allows, else the length."""
        return next((at for at, placed in enumerate(self.replay(keys)) if placed and not placed.fits), len(keys))

    def expected(self, here: Here) -> Expected:
        """The keys that may come here, and how probable each is; the end of the session among them."""
        chances: dict[int | None, float] = {}
        steps = self.tasks.tasks[here.task - 1].next_steps(here.done) if here.task else {0: 1.0}
        ending = steps.pop(0, 0.0)
        for step, share in steps.items():
            _add(chances, self.tasks.tasks[here.task - 1].keys[step - 1], share)
        for (own, other), share in self.tasks.following.items():
            if own == here.task and ending:
                for key, chance in self._begins(other):
                    _add(chances, key, ending * share * chance)
        total = sum(chances.values())
        return sorted(((key, chance / total) for key, chance in chances.items()), key=lambda each: -each[1])

    def _begins(self, number: int) -> list[tuple[int | None, float]]:
        """The keys that a task begins with; of task 0, the end of the session."""
        if not number:
            return [(None, 1.0)]
        task = self.tasks.tasks[number - 1]
        steps = task.next_steps(START.done)
        total = sum(steps.values())
        return [(task.keys[step - 1], share / total) for step, share in steps.items() if step]

    def edge(self, keys: Keys, place: int, times: Times) -> Edge | None:
        """The edge by which the entry at this place came."""
        ways = self.replay(keys)
        placed = ways[place] if place < len(keys) else None
        if placed is None or not placed.sources:
            return None
        for at in range(place - 1, -1, -1):
            way = ways[at]
            if way and way.step in placed.sources:
                usual, late = self.waits.get((placed.here.task, way.step, placed.step), (None, None))
                return Edge(keys[at], keys[place], _seconds(times[at], times[place]), usual, late)
        return None

    def slowest(self, keys: Keys, times: Times) -> Edge | None:
        """Of the edges of the last run of a task, the one that is furthest over its usual range, if any is."""
        found: list[Edge] = []
        for place in range(len(keys) - 1, -1, -1):
            edge, placed = self.edge(keys, place, times), self.replay(keys)[place]
            found += [edge] if edge and edge.excess > 1 else []
            if placed and placed.begins:
                break
        return max(found, key=lambda edge: edge.excess, default=None)

    def nearest(self, keys: Keys) -> tuple[int, int] | None:
        """Where no task fits the last entries: the task (0 = there is none) with the fewest edits, and how many."""
        if not self.tasks.tasks:
            return 0, len(keys)
        ways = self.replay(keys)
        begin = next((at for at in range(len(keys) - 1, -1, -1) if (way := ways[at]) and way.begins), 0)
        own = [way for way in ways[begin:] if way]
        odd = sum(not way.fits for way in own)
        if odd < ODD or 2 * odd <= len(own):
            return None
        edits = [(_edits(keys[begin:], task.usual), number) for number, task in enumerate(self.tasks.tasks, 1)]
        distance, number = min(edits)
        return number, distance


def _add(chances: dict[int | None, float], key: int | None, chance: float) -> None:
    chances[key] = chances.get(key, 0.0) + chance


def _seconds(first: datetime | None, last: datetime | None) -> float | None:
    return None if first is None or last is None else (last - first).total_seconds()


def _edits(one: Keys, other: Keys) -> int:
    """Keys to put in, take out or change to make one sequence the other.

    >>> _edits((1, 2, 3), (1, 3, 4))
    2
    """
    row = list(range(len(other) + 1))
    for at, key in enumerate(one, 1):
        above, row = row, [at]
        for place, own in enumerate(other, 1):
            row.append(min(row[-1] + 1, above[place] + 1, above[place - 1] + (key != own)))
    return row[-1]
