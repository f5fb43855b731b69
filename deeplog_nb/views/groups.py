"""Steps of a task that come in any order, found among its edges; and all edges between two such groups as one.

Which edges there are is not changed by it: a bundle keeps those that it stands for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from deeplog_nb.views.edges import Bundle, Edge

ALIKE: Final = 0.75  # of the steps before and after two steps: more of them in common, and the two are of one group


def groups(edges: Sequence[Edge], steps: Sequence[int]) -> list[tuple[int, ...]]:
    """The steps that run at the same time, from the same steps before them to the same after them, all but a few.

    >>> fork = [(0, 1), (0, 2), (1, 3), (2, 3)]
    >>> groups([Edge(*ends, "parallel", 9, 1.0, None) for ends in fork], [1, 2, 3])
    [(1, 2)]
    """
    beside = _Beside(edges)
    found: list[list[int]] = []
    for step in steps:
        if not beside.kinds[step] <= {"parallel"}:
            continue
        home = next((group for group in found if all(beside.alike(step, other) for other in group)), None)
        if home is None:
            found.append([step])
        else:
            home.append(step)
    return [tuple(group) for group in found if len(group) > 1]


class _Beside:
    """What comes before and after each step, loops apart."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.before: dict[int, set[int]] = defaultdict(set)
        self.after: dict[int, set[int]] = defaultdict(set)
        self.kinds: dict[int, set[str]] = defaultdict(set)  # of the edges to a step
        for source, target, kind, *_ in (each for each in edges if each.kind != "loop"):
            self.before[target].add(source)
            self.after[source].add(target)
            self.kinds[target].add(kind)

    def alike(self, one: int, other: int) -> bool:
        """Whether neither of the two comes first, and nearly the same steps are before and after both."""
        if (other in self.after[one]) != (one in self.after[other]):
            return False
        if self.after[one] & self.before[other] or self.after[other] & self.before[one]:
            return False
        mine, its = ({*((x, 0) for x in self.before[s]), *((x, 1) for x in self.after[s])} for s in (one, other))
        both = {(step, side) for step in (one, other) for side in (0, 1)}
        return len(mine & its) > ALIKE * len((mine | its) - both)


def bundled(edges: Sequence[Edge], home: Mapping[int, int]) -> list[Bundle]:
    """The edges by the places that they join, a group counting as one place; those within a group are left out.

    ``home`` says of which group a step is. What leads from a step to itself stays by itself.
    """
    found: dict[tuple[int, int, bool], list[Edge]] = {}
    for each in edges:
        own = each.source == each.target
        source, target = (end if own else home.get(end, end) for end in each[:2])
        if own or source != target:
            found.setdefault((source, target, each.kind == "loop"), []).append(each)
    return [Bundle(source, target, tuple(each)) for (source, target, _), each in found.items()]
