"""STEPS and EDGES -> tasks that can be replayed, for a workflow of which nothing else is left.

What frames do not tell is left open: which of the threads before a step came together, where not every run has all of
them, and which task follows which. A workflow that was learnt knows both and is not built anew from its frames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final, cast

import numpy as np
import polars as pl

from deeplog_nb.workflow.automaton import State, Task
from deeplog_nb.workflow.order import Order, Pair
from deeplog_nb.workflow.replay import Tasks
from deeplog_nb.workflow.way import Way, walk

NONE: Final = -1  # for the key of a step that has none
Ends = Mapping[Pair, tuple[str, int, float]]  # source, target: kind, count, share


@dataclass(frozen=True)
class Drawn:
    """Tasks built from frames, and what they and their steps are called there."""

    tasks: Tasks
    names: Sequence[tuple[int, Sequence[int]]]  # of each task its number, and those of its steps, the begin's first

    @classmethod
    def of(cls, steps: pl.DataFrame, edges: pl.DataFrame, *, background: Iterable[int] = ()) -> Drawn:
        """The tasks of these STEPS and EDGES; keys of the ``background`` belong to none.

        >>> steps = pl.DataFrame({"task": [4, 4, 4], "step": [0, 1, 2], "key": [None, 7, 8], "count": [3, 3, 3]})
        >>> edges = pl.DataFrame({"task": [4, 4, 4], "source": [0, 1, 2], "target": [1, 2, 0], "kind": ["next"] * 3,
        ...                       "count": [3, 3, 3], "share": [1.0, 1.0, 1.0]})
        >>> Drawn.of(steps, edges).walk([7, 9])
        Way(taken={(4, 0, 1): (1,)}, left=(4, 1), expected=(8,), came=9, entries=1)
        """
        tasks, names = [], []
        for number in steps["task"].unique().sort().to_list():
            own = steps.filter(pl.col("task") == number, pl.col("step") > 0).sort("step")
            called = [0, *own["step"].to_list()]
            keys = own["key"].cast(pl.Int64).fill_null(NONE).to_list()
            tasks.append(_task(keys, _ends(edges.filter(task=number), called)))
            names.append((number, called))
        return cls(Tasks(tasks, {}, frozenset(background)), names)

    def walk(self, keys: Sequence[int], *, open_: bool = False) -> Way:
        """The way of these keys, in the frames' own numbers."""
        way = walk(self.tasks, keys, open_=open_)
        taken = {(*self._step(task, one), self._step(task, to)[1]): at for (task, one, to), at in way.taken.items()}
        return replace(way, taken=taken, left=way.left and self._step(*way.left))

    def _step(self, task: int, step: int) -> tuple[int, int]:
        number, called = self.names[task - 1] if task else (0, [0])
        return number, called[step]


class _Joins(Collection[tuple[State, int]]):
    """The joins that edges allow. One iterates over the smallest."""

    def __init__(
        self, ends: Iterable[Pair], parallel: Iterable[Pair], threads: Mapping[int, Collection[State]]
    ) -> None:
        self.ahead, self.together, self.threads = _by_target(ends), _by_target(parallel), threads

    def __contains__(self, join: object) -> bool:
        """Behind one step or several threads, those that every run came by among them."""
        sources, step = cast(tuple[State, int], join)
        known = self.ahead if len(sources) < 2 else self.together
        needed = (thread.isdisjoint(sources) for thread in self.threads.get(step, ()))
        return (sources or {0}) <= known[step] and not any(needed)

    def __iter__(self) -> Iterator[tuple[State, int]]:
        for step, ahead in self.ahead.items():
            needed = State(max(thread) for thread in self.threads.get(step, ()))
            yield from dict.fromkeys((needed or State({source} - {0}), step) for source in ahead)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _by_target(ends: Iterable[Pair]) -> defaultdict[int, State]:
    found = defaultdict[int, State](State)
    for source, target in ends:
        found[target] |= {source}
    return found


def _ends(edges: pl.DataFrame, called: Sequence[int]) -> Ends:
    """The edges between these steps, which are numbered anew; the most frequent first."""
    place = {name: at for at, name in enumerate(called)}
    rows = edges.sort("count", descending=True, maintain_order=True)
    return {
        (place[source], place[target]): (kind, count, share or 0.0)
        for source, target, kind, count, share in rows.select("source", "target", "kind", "count", "share").rows()
        if source in place and target in place
    }


def _task(keys: Sequence[int], ends: Ends) -> Task:
    before, loops, turns = _order([end for end in ends if 0 not in end], ends, len(keys))
    together = _together([end for end in ends if ends[end][0] == "parallel"], before, len(keys))
    on = [end for end in ends if end not in loops]
    parallel = [end for end in on if ends[end][0] == "parallel"]
    joins = _Joins(on, parallel, _threads(parallel, ends, before))
    shares = {end: share for end, (_, _, share) in ends.items()}
    return Task(tuple(keys), Order(before, turns, together), joins, loops, shares, (), ())


def _threads(parallel: Iterable[Pair], ends: Ends, before: frozenset[Pair]) -> dict[int, set[State]]:
    """For each step the threads that every run came by: one of their steps, of which each run takes but the last."""
    runs = {source: round(count / share) for (source, _), (_, count, share) in ends.items() if share}
    found: dict[int, set[State]] = defaultdict(set)
    for target, sources in _by_target(end for end in parallel if end[0]).items():
        for source in sources:
            thread = State(each for each in sources if each == source or {(each, source), (source, each)} & before)
            line = all((one, to) in before or (to, one) in before for one in thread for to in thread - {one})
            if line and sum(ends[each, target][1] for each in thread) >= runs.get(target, np.inf):
                found[target].add(thread)
    return found


def _order(inner: Iterable[Pair], ends: Ends, steps: int) -> tuple[frozenset[Pair], frozenset[Pair], frozenset[Pair]]:
    """Which step is before which; the edges that lead back, whatever their kind; which come in turns with them."""
    reach = np.eye(steps + 1, dtype=bool)
    loops = set()
    for source, target in sorted(inner, key=lambda end: ends[end][0] == "loop"):
        if reach[target, source]:
            loops.add((source, target))
        else:
            reach |= reach[:, source, None] & reach[None, target]
    turns = {(to, int(step)) for last, to in loops for step in np.flatnonzero(reach[to] & reach[:, last]) if step != to}
    np.fill_diagonal(reach, False)
    before = frozenset((int(one), int(other)) for one, other in np.argwhere(reach))
    return before, frozenset(loops), frozenset(turns)


def _together(parallel: Iterable[Pair], before: frozenset[Pair], steps: int) -> frozenset[Pair]:
    """The steps of different threads: those behind two parallel edges of one step, unless one is before the other."""
    behind: dict[int, set[int]] = {step: {step} for step in range(1, steps + 1)}
    for one, other in before:
        behind[one].add(other)
    threads: dict[int, list[int]] = defaultdict(list)
    for source, target in parallel:
        if target:
            threads[source].append(target)
    pairs = {
        (a, b)
        for heads in threads.values()
        for one, other in permutations(heads, 2)
        for a in behind[one] - behind[other]
        for b in behind[other] - behind[one]
    }
    return frozenset(pair for pair in pairs if pair not in before and pair[::-1] not in before)
