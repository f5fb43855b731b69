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
Placed = tuple[int, int | None, int | None, int | None]  # key, task, step, run
BEAM: Final = 64  # ways that are followed at a time, where a key stands at several steps


@dataclass(frozen=True)
class Way:
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


class _Walked(NamedTuple):
    """A way over the workflow so far, by its last edge, and the run of the task that it is in."""

    back: _Walked | None
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

    def next(self, way: _Walked | None, key: int) -> list[_Walked]:
        """The ways on by this key: from the last step, from any since a fork, into another task."""
        if way is None:
            return self._begin(way, key)
        task, _, here = way.edge
        on = [(here, to) for to in self._to(task, here, key)]
        if not on and way.forked:
            aside = ((source, to) for source in sorted(way.seen) for to in self._to(task, source, key))
            on = [edge for edge in aside if edge[1] not in way.seen or (task, *edge) in self.loops]
        forked = [way.forked or (task, source) in self.forks for source, _ in on]
        ways = [_Walked(way, (task, *e), way.seen | {e[1]}, f, False) for e, f in zip(on, forked, strict=True)]
        return ways + (self._begin(way, key) if self.over(way) else [])

    def over(self, way: _Walked) -> bool:
        """Whether the task may end here."""
        task, _, here = way.edge
        return 0 in self.after[task, here]

    def source(self, way: _Walked | None, target: Step) -> int:
        """The step of this run from which an edge leads there, the latest; 0 where it is the run's begin."""
        each = way
        while each is not None and each.edge[0] == target[0]:
            if target[1] in self.after[target[0], each.edge[2]]:
                return each.edge[2]
            each = None if each.begins else each.back
        return 0

    def expected(self, way: _Walked | None) -> list[int | None]:
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

    def ending(self, way: _Walked) -> list[Taken]:
        """The edges to the end of the task that this way takes if it ends here."""
        task, _, here = way.edge
        joined = (other for other in self.joint[task, 0] if other in way.seen)
        return [(task, source, 0) for source in dict.fromkeys((here, *joined))]

    def _begin(self, way: _Walked | None, key: int) -> list[_Walked]:
        found = [(task, to) for task in self.tasks for to in self._to(task, 0, key)]
        forked = {task: (task, 0) in self.forks for task in self.tasks}
        seen = {task: frozenset((0,) if forked[task] else ()) for task in self.tasks}
        return [_Walked(way, (task, 0, to), seen[task] | {to}, forked[task], True) for task, to in found]


def walk(steps: pl.DataFrame, edges: pl.DataFrame, keys: Sequence[int], *, without: Iterable[int] = ()) -> Way:
    """The longest way of these keys over the workflow, and what was expected where it breaks off.

    Entries are numbered as they stand in ``keys``; keys ``without`` which tasks do are passed over.

    >>> steps = pl.DataFrame({"task": [1, 1, 1], "step": [0, 1, 2], "key": [None, 7, 8], "count": [3, 3, 3]})
    >>> edges = pl.DataFrame({"task": [1, 1, 1], "source": [0, 1, 2], "target": [1, 2, 0], "kind": ["next"] * 3,
    ...                       "count": [3, 3, 3]})
    >>> walk(steps, edges, [7, 9])
    Way(taken={(1, 0, 1): (1,)}, left=(1, 1), expected=(8,), came=9, entries=1)
    """
    graph = _Graph(steps, edges)
    ways: Sequence[_Walked | None] = [None]
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


def retrace(
    steps: pl.DataFrame, edges: pl.DataFrame, placed: Sequence[Placed], *, whole: bool, came: int | None
) -> Way:
    """The way of entries that a workflow has placed already: ``key, task, step, run`` of each, null where of no task.

    ``whole`` says that the session may end where they do; else ``came`` is what came instead, or None, the end.
    """
    graph = _Graph(steps, edges)
    way: _Walked | None = None
    last = 0
    for number, (_, task, step, run) in enumerate(placed, 1):
        if task is None or step is None:
            continue
        begins, last = run != last, run or 0
        run_so_far = None if begins else way
        source = graph.source(run_so_far, (task, step))
        seen, forked = (run_so_far.seen, run_so_far.forked) if run_so_far else (frozenset[int](), False)
        forked |= (task, source) in graph.forks
        way = _Walked(way, (task, source, step), seen | {step}, forked, begins, number)
    return _told(graph, way, broken=not whole, came=came)


def _told(graph: _Graph, way: _Walked | None, *, broken: bool, came: int | None) -> Way:
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
        return Way(numbers, entries=entries)
    left = (way.edge[0], way.edge[2]) if way else (graph.tasks[0] if graph.tasks else 0, 0)
    return Way(numbers, left, tuple(graph.expected(way)), came, entries)


def _steps(way: _Walked | None) -> list[_Walked]:
    found = []
    while way:
        found.append(way)
        way = way.back
    return found[::-1]
