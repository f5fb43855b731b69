"""Where in a task what should have come has its place: the steps to mark beside the one where a session left.

Which keys should have come was found before. A step on another thread is not behind the last one, and is one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from deeplog_nb.views.edges import Edge

BEGIN: Final = 0  # the node of a task's begin


def awaited(
    expected: Iterable[int | None], left: int, keys: Mapping[int, int], edges: Sequence[Edge], end: int
) -> frozenset[int]:
    """The nodes of the expected keys, None being the end, for a session that left this task after the step ``left``.

    Of steps with the same key those that follow at once, else the nearest that is not before ``left``. A key that
    has none comes when the task has ended: then the end, and the step with which the task begins anew.

    >>> both = [Edge(0, 1, "parallel", 9, 1.0, None), Edge(0, 2, "parallel", 9, 1.0, None)]
    >>> sorted(awaited([8], 1, {1: 7, 2: 8}, [*both, Edge(1, 3, "parallel", 9, 1.0, None)], 3))
    [2]
    """
    after = {edge.target for edge in edges if edge.source == left}
    before = _before(left, edges)
    found: set[int] = set()
    for key in expected:
        steps = {step for step, own in keys.items() if own == key}
        found |= {end} if key is None else steps & after or _nearest(steps - before, left, edges)
        if key is not None and left != BEGIN and steps <= before - after:
            found |= {end} | {edge.target for edge in edges if edge.source == BEGIN and edge.target in steps}
    return frozenset(found)


def _before(left: int, edges: Sequence[Edge]) -> set[int]:
    """The step and those on the ways to it, without what leads back."""
    found = {left}
    waiting = [left]
    for step in waiting:  # grows as it goes
        fresh = {edge.source for edge in edges if edge.target == step and edge.kind != "loop"} - found
        found |= fresh
        waiting += fresh
    return found


def _nearest(steps: Collection[int], left: int, edges: Sequence[Edge]) -> set[int]:
    """Of these steps the one that fewest edges, whichever way they lead, are between; none of none."""
    seen, rim = {left}, {left}
    while rim and not rim & set(steps):
        beside = {edge.target for edge in edges if edge.source in rim} | {
            edge.source for edge in edges if edge.target in rim
        }
        rim = beside - seen
        seen |= rim
    return set(sorted(rim & set(steps))[:1])
