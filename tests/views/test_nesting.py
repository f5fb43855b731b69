from __future__ import annotations

from itertools import combinations

from deeplog_nb.views.layers import Arrow
from deeplog_nb.views.nesting import nested

BOX = (120.0, 30.0)


def test_boxes_in_a_frame_lie_within_it_and_apart() -> None:
    """Seven of them, in rows, none over another, all inside."""
    laid = nested(dict.fromkeys(range(8), BOX), {9: range(1, 8)}, [Arrow(0, 9)])
    (x, y), (width, height) = laid.places[9], laid.sizes[9]
    held = [laid.places[node] for node in range(1, 8)]
    assert all(abs(a - x) <= (width - BOX[0]) / 2 and abs(b - y) <= (height - BOX[1]) / 2 for a, b in held)
    assert all(abs(a - c) >= BOX[0] or abs(b - d) >= BOX[1] for (a, b), (c, d) in combinations(held, 2))


def test_three_stand_side_by_side_and_four_two_by_two() -> None:
    """Rows of at most three, about as long as each other."""
    rows = [
        len({nested(dict.fromkeys(range(n), BOX), {9: range(n)}, []).places[at][1] for at in range(n)}) for n in (3, 4)
    ]
    assert rows == [1, 2]


def test_without_frames_it_is_the_plain_layout() -> None:
    """Nothing is added."""
    laid = nested({1: BOX, 2: BOX}, {}, [Arrow(1, 2)])
    assert laid.places == laid.layout.places
