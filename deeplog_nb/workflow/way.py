"""One session over the tasks: which edges it took, in which order, and where it left.

It draws nothing, and places no entry itself: that is done in ``replay``, for diagnoses and pictures alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from deeplog_nb.workflow.automaton import LEAST
from deeplog_nb.workflow.replay import START, Here, Placed, Tasks

Step = tuple[int, int]  # task, step
Taken = tuple[int, int, int]  # task, source, target


@dataclass(frozen=True)
class Way:
    """The edges that were taken, with the numbers of the entries that took them, and where the session left."""

    taken: Mapping[Taken, tuple[int, ...]] = field(default_factory=dict)
    left: Step | None = None  # the last step that fits; step 0 = the task's begin
    expected: tuple[int | None, ...] = ()  # keys that could have come, the likeliest first; None = the task's end
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


def walk(tasks: Tasks, keys: Sequence[int], *, open_: bool = False) -> Way:
    """The way of these keys up to the first that no task allows, and what could have come there.

    Entries are numbered as they stand in ``keys``. An ``open_`` session may end anywhere.

    >>> from deeplog_nb.workflow.learning import learn
    >>> walk(Tasks([learn([((7, 8), 3)], 0.01).task], {}, frozenset()), [7, 9])
    Way(taken={(1, 0, 1): (1,)}, left=(1, 1), expected=(8,), came=9, entries=1)
    """
    placed = tasks.replay(keys)
    wrong = next((at for at, each in enumerate(placed) if each and not each.fits), len(keys))
    fitting = placed if wrong == len(keys) else tasks.replay(keys[:wrong])
    numbered = [(number, each) for number, each in enumerate(fitting, 1) if each]
    here = numbered[-1][1].here if numbered else START
    whole = wrong == len(keys) and here.task > 0 and (open_ or tasks.ended(here))
    taken = _taken(tasks, numbered, ended=whole and tasks.ended(here))
    if whole:
        return Way(taken, entries=len(numbered))
    left = (here.task, numbered[-1][1].step) if numbered else (min(1, len(tasks.tasks)), 0)
    return Way(taken, left, _expected(tasks, here), keys[wrong] if wrong < len(keys) else None, len(numbered))


def _taken(tasks: Tasks, placed: Sequence[tuple[int, Placed]], *, ended: bool) -> dict[Taken, tuple[int, ...]]:
    """The edges of these entries, and those by which each run but the last ended; the last too, where it did."""
    taken: dict[Taken, list[int]] = defaultdict(list)
    here = START
    for number, each in placed:
        if each.begins:
            taken |= {edge: [] for edge in _ending(tasks, here)}
        for source in sorted(each.sources or {0}):
            taken[each.here.task, source, each.step].append(number)
        here = each.here
    if ended:
        taken |= {edge: [] for edge in _ending(tasks, here)}
    return {edge: tuple(numbers) for edge, numbers in taken.items()}


def _ending(tasks: Tasks, here: Here) -> Iterable[Taken]:
    """The edges to the end of the task from here; none before the first."""
    if not here.task:
        return ()
    return ((here.task, source, 0) for source in tasks.tasks[here.task - 1].order.last(here.done))


def _expected(tasks: Tasks, here: Here) -> tuple[int | None, ...]:
    """The keys that the task allows here, before the first task those that any begins with; None = its end."""
    own = [here.task] if here.task else range(1, len(tasks.tasks) + 1)
    found = [
        (-share, tasks.tasks[task - 1].keys[step - 1] if step else None)
        for task in own
        for step, share in tasks.tasks[task - 1].next_steps(here.done).items()
        if share > LEAST  # what is too rare to be drawn is allowed, not expected
    ]
    return tuple(dict.fromkeys(key for _, key in sorted(found, key=lambda each: each[0])))
