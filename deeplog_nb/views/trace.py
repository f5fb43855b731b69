"""One session walked over a workflow: which edges it took, in which order, and where it left.

It reads STEPS and EDGES only and draws nothing. A fork into parallel branches may be walked in any interleaving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

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
        return {step: sorted(numbers) for step, numbers in found.items()}


class _Graph:
    """The steps and edges of a workflow, for looking up."""

    def __init__(self, steps: pl.DataFrame, edges: pl.DataFrame) -> None:
        self.keys: dict[Step, int | None] = {(t, s): key for t, s, key in steps.select("task", "step", "key").rows()}
        self.after: dict[Step, list[int]] = defaultdict(list)
        self.forks: set[Step] = set()
        ordered = edges.sort("task", "count", descending=[False, True], maintain_order=True)
        for task, source, target, kind in ordered.select("task", "source", "target", "kind").rows():
            self.after[task, source].append(target)
            if kind == "parallel":
                self.forks.add((task, source))
        self.tasks = sorted({task for task, _ in self.keys})

    def next(self, way: tuple[Taken, ...], key: int) -> list[Taken]:
        """The edges by which this key can follow: on from the last step, from an open fork, into another task."""
        if not way:
            return self._begin(key)
        task, _, here = way[-1]
        on = [(task, here, to) for to in self.after[task, here] if to and self.keys.get((task, to)) == key]
        if on:
            return on
        aside = [(task, source, to) for source in self._open(way) for to in self.after[task, source]]
        on = [edge for edge in aside if edge[2] and self.keys.get((task, edge[2])) == key]
        return on or (self._begin(key) if 0 in self.after[task, here] else [])

    def expected(self, way: tuple[Taken, ...]) -> list[int | None]:
        """The keys that could follow; None = the end."""
        if not way:
            return list(dict.fromkeys(self.keys[t, to] for t in self.tasks for to in self.after[t, 0] if to))
        task, _, here = way[-1]
        return list(dict.fromkeys(self.keys[task, to] if to else None for to in self.after[task, here]))

    def _begin(self, key: int) -> list[Taken]:
        return [(t, 0, to) for t in self.tasks for to in self.after[t, 0] if to and self.keys[t, to] == key]

    def _open(self, way: tuple[Taken, ...]) -> list[int]:
        """The steps since the last fork, the fork included, latest first: any branch may go on."""
        task = way[-1][0]
        back: list[int] = []
        for at, source, target in reversed(way):
            back += [target] if target not in back else []
            if at != task or source == 0:
                break
            if (task, source) in self.forks:
                return [*back[1:], source]
        return []


def trace(steps: pl.DataFrame, edges: pl.DataFrame, keys: Sequence[int]) -> Trace:
    """The longest way of these keys over the workflow, and what was expected where it breaks off.

    >>> steps = pl.DataFrame({"task": [1, 1, 1], "step": [0, 1, 2], "key": [None, 7, 8], "count": [3, 3, 3]})
    >>> edges = pl.DataFrame({"task": [1, 1, 1], "source": [0, 1, 2], "target": [1, 2, 0], "kind": ["next"] * 3,
    ...                       "count": [3, 3, 3]})
    >>> trace(steps, edges, [7, 9])
    Trace(taken={(1, 0, 1): (1,)}, left=(1, 1), expected=(8,), came=9, entries=1)
    """
    graph = _Graph(steps, edges)
    ways: list[tuple[Taken, ...]] = [()]
    for key in keys:
        longer = [(*way, edge) for way in ways for edge in graph.next(way, key)]
        if not longer:
            return _told(graph, ways[0], broken=True, came=key)
        ways = list({way[-1]: way for way in longer[::-1]}.values())[::-1][:BEAM]  # of equal ends, the first
    over = [way for way in ways if way and 0 in graph.after[way[-1][0], way[-1][2]]]
    return _told(graph, (over or ways)[0], broken=not over, came=None)


def _told(graph: _Graph, way: tuple[Taken, ...], *, broken: bool, came: int | None) -> Trace:
    taken: dict[Taken, tuple[int, ...]] = {}
    for number, edge in enumerate(way, 1):
        taken[edge] = (*taken.get(edge, ()), number)
    if not broken:
        task, _, here = way[-1]
        return Trace(taken | {(task, here, 0): ()}, entries=len(way))
    first = graph.tasks[0] if graph.tasks else 0
    left = (way[-1][0], way[-1][2]) if way else (first, 0)
    return Trace(taken, left, tuple(graph.expected(way)), came, len(way))
