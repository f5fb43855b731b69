"""One session walked over a workflow: which edges it took, in which order, and where it left.

It reads STEPS and EDGES only and draws nothing. A fork into parallel branches may be walked in any interleaving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

Step = tuple[int, int]  # task, step
Taken = tuple[int, int, int]  # task, source, target
BEAM: Final = 64  # ways that are followed at a time, where a key stands at several steps


@dataclass(frozen=True)
class Trace:
    """The edges that were taken, with the numbers of the entries that took them, and where the session left."""

    taken: Mapping[Taken, tuple[int, ...]] = field(default_factory=dict)
    left: Step | None = None  # the last step that fits; step 0 = the task's begin
    expected: tuple[int | None, ...] = ()  # keys that could have come; None = the end
    came: int | None = None  # the key that came instead; None = the end
    entries: int = 0  # that fit

    @cached_property
    def visits(self) -> dict[Step, list[int]]:
        """For each step the numbers of the entries seen there, 1 = the first."""
        found: dict[Step, list[int]] = defaultdict(list)
        for (task, _, target), numbers in self.taken.items():
            if target:
                found[task, target] += numbers
        return {step: sorted(set(numbers)) for step, numbers in found.items()}


class _Way(NamedTuple):
    """A way over the workflow so far, by its last edge, and the run of the task that it is in."""

    back: _Way | None
    edge: Taken
    seen: frozenset[int]  # steps of this run, its begin included if that is a fork
    forked: bool  # whether this run came through a fork: then any step seen may go on
    begins: bool  # a run of a task
    number: int = 0  # of the entry


class _Graph:
    """The steps and edges of a workflow, for looking up."""

    def __init__(self, steps: pl.DataFrame, edges: pl.DataFrame) -> None:
        self.keys: dict[Step, int | None] = {(t, s): key for t, s, key in steps.select("task", "step", "key").rows()}
        self.after: dict[Step, list[int]] = defaultdict(list)
        self.joint: dict[Step, list[int]] = defaultdict(list)  # for each step the sources of its parallel edges
        self.forks: set[Step] = set()
        self.loops: set[Taken] = set()
        ordered = edges.sort("task", "count", descending=[False, True], maintain_order=True)
        for task, source, target, kind in ordered.select("task", "source", "target", "kind").rows():
            self.after[task, source].append(target)
            if kind == "loop":
                self.loops.add((task, source, target))
            if kind == "parallel":
                self.forks.add((task, source))
                self.joint[task, target].append(source)
        self.tasks = sorted({task for task, _ in self.keys})

    def next(self, way: _Way | None, key: int) -> list[_Way]:
        """The ways on by this key: from the last step, from any since a fork, into another task."""
        if way is None:
            return self._begin(way, key)
        task, _, here = way.edge
        on = [(here, to) for to in self._to(task, here, key)]
        if not on and way.forked:
            aside = ((source, to) for source in sorted(way.seen) for to in self._to(task, source, key))
            on = [edge for edge in aside if edge[1] not in way.seen or (task, *edge) in self.loops]
        ways = [_Way(way, (task, *edge), way.seen | {edge[1]}, self._forks(task, edge[0], way), False) for edge in on]
        return ways + (self._begin(way, key) if self.over(way) else [])

    def over(self, way: _Way) -> bool:
        """Whether the task may end here."""
        task, _, here = way.edge
        return 0 in self.after[task, here]

    def expected(self, way: _Way | None) -> list[int | None]:
        """The keys that could follow; None = the end."""
        if way is None:
            return list(dict.fromkeys(self.keys[t, to] for t in self.tasks for to in self.after[t, 0] if to))
        task, _, here = way.edge
        own = [(here, to) for to in self.after[task, here]]
        aside = [(s, to) for s in sorted(way.seen) for to in self.after[task, s] if to not in way.seen and to]
        edges = own + (aside if way.forked else [])
        return list(dict.fromkeys(self.keys[task, to] if to else None for _, to in edges))

    def _to(self, task: int, source: int, key: int) -> list[int]:
        return [to for to in self.after[task, source] if to and self.keys.get((task, to)) == key]

    def ending(self, way: _Way) -> list[Taken]:
        """The edges to the end of the task that this way takes if it ends here."""
        task, _, here = way.edge
        joined = (other for other in self.joint[task, 0] if other in way.seen)
        return [(task, source, 0) for source in dict.fromkeys((here, *joined))]

    def _begin(self, way: _Way | None, key: int) -> list[_Way]:
        found = [(task, to) for task in self.tasks for to in self._to(task, 0, key)]
        forked = {task: (task, 0) in self.forks for task in self.tasks}
        seen = {task: frozenset((0,) if forked[task] else ()) for task in self.tasks}
        return [_Way(way, (task, 0, to), seen[task] | {to}, forked[task], True) for task, to in found]

    def _forks(self, task: int, source: int, way: _Way) -> bool:
        return way.forked or (task, source) in self.forks


def trace(steps: pl.DataFrame, edges: pl.DataFrame, keys: Sequence[int], *, without: Iterable[int] = ()) -> Trace:
    """The longest way of these keys over the workflow, and what was expected where it breaks off.

    Entries are numbered as they stand in ``keys``; keys ``without`` which tasks do are passed over.

    >>> steps = pl.DataFrame({"task": [1, 1, 1], "step": [0, 1, 2], "key": [None, 7, 8], "count": [3, 3, 3]})
    >>> edges = pl.DataFrame({"task": [1, 1, 1], "source": [0, 1, 2], "target": [1, 2, 0], "kind": ["next"] * 3,
    ...                       "count": [3, 3, 3]})
    >>> trace(steps, edges, [7, 9])
    Trace(taken={(1, 0, 1): (1,)}, left=(1, 1), expected=(8,), came=9, entries=1)
    """
    graph = _Graph(steps, edges)
    ways: Sequence[_Way | None] = [None]
    passed = frozenset(without)
    for number, key in enumerate(keys, 1):
        if key in passed:
            continue
        longer = [on._replace(number=number) for way in ways for on in graph.next(way, key)]
        if not longer:
            return _told(graph, ways[0], broken=True, came=key)
        ends = {(way.edge[0], way.edge[2], way.seen): way for way in longer[::-1]}  # of equal ends, the first
        ways = list(ends.values())[::-1][:BEAM]
    over = [way for way in ways if way and graph.over(way)]
    return _told(graph, (over or ways)[0], broken=not over, came=None)


def _told(graph: _Graph, way: _Way | None, *, broken: bool, came: int | None) -> Trace:
    taken: dict[Taken, list[int]] = defaultdict(list)
    for each in _steps(way):
        task, source, target = each.edge
        joined = [other for other in graph.joint[task, target] if other in each.seen and other != source]
        for edge in (each.edge, *((task, other, target) for other in joined)):
            taken[edge].append(each.number)
        if each.back and each.begins:
            taken |= {edge: [] for edge in graph.ending(each.back)}
    if way and not broken:
        taken |= {edge: [] for edge in graph.ending(way)}
    numbers, entries = {edge: tuple(at) for edge, at in taken.items()}, len(_steps(way))
    if way and not broken:
        return Trace(numbers, entries=entries)
    left = (way.edge[0], way.edge[2]) if way else (graph.tasks[0] if graph.tasks else 0, 0)
    return Trace(numbers, left, tuple(graph.expected(way)), came, entries)


def _steps(way: _Way | None) -> list[_Way]:
    found = []
    while way:
        found.append(way)
        way = way.back
    return found[::-1]
