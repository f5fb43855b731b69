"""Where in which task each entry of a session stands, by the way through the tasks that explains it best.

The one walk over a workflow: diagnoses (``located``), ``trace``, and the edges that a picture paints (``way``) rest on
it. Of a workflow of which only STEPS and EDGES are left, ``drawn`` builds the tasks.
The best way is the likeliest one; only where none goes on is an entry taken that no task allows there. It is either
skipped, or taken for a step whose forerunners are missing, or for one of a task that is begun in the middle. What that
means for a person is told in ``diagnose``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from math import log
from typing import Final, NamedTuple

from deeplog_nb.workflow.automaton import BEGUN, LEAST, State, Task

MISFIT: Final = 20.0  # nats that an entry costs which no task allows
SKIPPED: Final = 1.0  # more for one that is taken for no step at all
KEPT: Final = 48  # ways that are followed at once, the best ones


class Here(NamedTuple):
    """A place in a run of a task; task 0 is before the first."""

    task: int
    done: State


@dataclass(frozen=True)
class Placed:
    """One entry of a session: its task (0 = none), step (0 = none), and the steps directly before it."""

    here: Here  # behind it
    before: Here  # ahead of it
    step: int
    sources: State
    fits: bool
    begins: bool  # a run of a task


class _Way(NamedTuple):
    cost: float
    back: _Way | None
    placed: Placed | None


@dataclass(frozen=True)
class Tasks:
    """The tasks of a workflow, and how likely each follows each."""

    tasks: Sequence[Task]  # task t is tasks[t - 1]
    following: Mapping[tuple[int, int], float]  # share of the runs of one that another follows; 0 = the session's ends
    background: frozenset[int]
    _known: dict[tuple[Here, int], tuple[tuple[float, Placed], ...]] = field(default_factory=dict, compare=False)

    def replay(self, keys: Sequence[int]) -> list[Placed | None]:
        """Where each of a session's keys stands; none for those of the background."""
        ways = {START: _Way(0.0, None, None)}
        for key in keys:
            if key in self.background:
                ways = {here: _Way(way.cost, way, None) for here, way in ways.items()}
            else:
                ways = self._on(ways, key)
        best = min(ways.items(), key=lambda each: each[1].cost + self._left(each[0]))[1]
        found: list[Placed | None] = []
        way: _Way | None = best
        while way is not None and way.back is not None:
            found.append(way.placed)
            way = way.back
        return found[::-1]

    def ended(self, here: Here) -> bool:
        """Whether a session may be over here."""
        return not here.task or self.tasks[here.task - 1].may_end(here.done)

    def _left(self, here: Here) -> float:
        return 0.0 if self.ended(here) else SKIPPED  # of two equal ways the one that is complete

    def _on(self, ways: Mapping[Here, _Way], key: int) -> dict[Here, _Way]:
        """The best ways on by this key; by what no task allows only where nothing else is."""
        return self._best(ways, key, self.allowed) or self._best(ways, key, self._misfits)

    def _best(
        self,
        ways: Mapping[Here, _Way],
        key: int,
        moves: Callable[[Here, int], Iterable[tuple[float, Placed]]],
    ) -> dict[Here, _Way]:
        found: dict[Here, _Way] = {}
        for here, way in ways.items():
            for cost, placed in moves(here, key):
                known = found.get(placed.here)
                if known is None or way.cost + cost < known.cost:
                    found[placed.here] = _Way(way.cost + cost, way, placed)
        return found if len(found) <= KEPT else dict(nsmallest(KEPT, found.items(), key=lambda each: each[1].cost))

    def allowed(self, here: Here, key: int) -> tuple[tuple[float, Placed], ...]:
        """What the key can be here, with what it costs in nats."""
        if (here, key) not in self._known:
            self._known[here, key] = tuple(self._moves(here, key))
        return self._known[here, key]

    def _moves(self, here: Here, key: int) -> Iterator[tuple[float, Placed]]:
        if here.task:
            task = self.tasks[here.task - 1]
            for step, sources, done in task.moves(here.done, key):
                cost = -log(task.chance(sources, step))
                yield cost, Placed(Here(here.task, done), here, step, sources, True, False)
        if self.ended(here):
            yield from self._begun(here, key, 0.0, fits=True)

    def _begun(self, here: Here, key: int, cost: float, *, fits: bool) -> Iterator[tuple[float, Placed]]:
        for number, task in enumerate(self.tasks, 1):
            likely = -log(max(self.following.get((here.task, number), 0.0), LEAST))
            for step, sources, done in task.moves(BEGUN, key):
                yield (
                    cost + likely - log(task.chance(sources, step)),
                    Placed(Here(number, done), here, step, sources, fits, True),
                )

    def _misfits(self, here: Here, key: int) -> Iterator[tuple[float, Placed]]:
        yield MISFIT + SKIPPED, Placed(here, here, 0, BEGUN, False, False)
        if not self.ended(here):
            yield from self._begun(here, key, MISFIT, fits=False)
        for number, task in enumerate(self.tasks, 1):
            done = here.done if number == here.task else BEGUN
            for step in task.steps_of.get(key, ()):
                skipped = task.forerunners[step]
                if step not in done and not any((step, other) in task.order.before for other in done):
                    then = Here(number, done | skipped | {step})
                    likely = -log(LEAST) * (number != here.task)
                    yield (
                        MISFIT + likely + 0.1 * len(skipped - done),
                        Placed(then, here, step, task.order.sources(done, step), False, number != here.task),
                    )


START: Final = Here(0, BEGUN)
