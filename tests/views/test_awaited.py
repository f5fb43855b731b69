from __future__ import annotations

from collections.abc import Sequence

import pytest

from deeplog_nb.views.awaited import awaited
from deeplog_nb.views.edges import Edge

KEYS = {1: 7, 2: 8, 3: 8, 4: 9, 5: 7}  # the end is 6
FORK = [(0, 1, "next"), (1, 2, "parallel"), (1, 3, "parallel"), (3, 4, "next"), (2, 5, "parallel"), (4, 5, "parallel")]


def places(expected: Sequence[int | None], left: int) -> list[int]:
    """Where these keys should have come, in a task that forks into 2, and 3 before 4, and joins at 5."""
    edges = [Edge(*ends, kind, 9, 1.0, None) for *ends, kind in [*FORK, (5, 6, "next"), (5, 4, "loop")]]
    return sorted(awaited(expected, left, KEYS, edges, 6))


@pytest.mark.parametrize(
    ("expected", "left", "nodes"),
    [
        ([8], 1, [2, 3]),  # both follow at once
        ([9], 2, [4]),  # on the other thread
        ([8], 2, [3]),  # the other of this key: not itself
        ([7], 2, [5]),  # behind, not the one before
        ([9], 5, [4]),  # again
        ([None], 2, [6]),
        ([None, 7], 4, [5, 6]),
        ([77], 5, [6]),  # another task's: this one ends first
        ([7], 5, [1, 6]),  # the task begins anew
        ([77], 0, []),  # another task's, where none had begun
        ([], 1, []),
    ],
)
def test_each_expected_key_has_its_place(expected: Sequence[int | None], left: int, nodes: list[int]) -> None:
    """The step that the finding names, wherever it stands: behind, beside, or when the task has ended."""
    assert places(expected, left) == nodes
