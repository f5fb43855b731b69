from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deeplog_nb.views.layers import Arrow, Layout, arrange

WIDE, HIGH = 120.0, 30.0


def laid(*arrows: tuple[int, int] | Arrow) -> Layout:
    drawn = [Arrow(*each) for each in arrows]
    nodes = sorted({end for each in drawn for end in each[:2]})
    return arrange(dict.fromkeys(nodes, (WIDE, HIGH)), drawn)


def overlapping(layout: Layout) -> list[tuple[int, int]]:
    pairs = combinations(layout.places, 2)
    return [
        (one, other)
        for one, other in pairs
        if abs(layout.places[one][0] - layout.places[other][0]) < WIDE
        and abs(layout.places[one][1] - layout.places[other][1]) < HIGH
    ]


def test_a_chain_is_a_straight_line_down() -> None:
    """Five steps, one below the other, at one x."""
    places = laid((1, 2), (2, 3), (3, 4), (4, 5)).places
    assert len({x for x, _ in places.values()}) == 1
    assert [y for _, y in places.values()] == sorted(y for _, y in places.values())


def test_parallel_branches_stand_side_by_side() -> None:
    """The branches of a fork are in one layer, the fork and the join in the middle over and under them."""
    places = laid((1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)).places
    assert len({places[node][1] for node in (2, 3, 4)}) == 1
    assert places[1][0] == places[5][0] == sorted(places[node][0] for node in (2, 3, 4))[1]


def test_steps_in_any_order_stand_side_by_side() -> None:
    """Arrows both ways do not put one below the other; both are drawn between the two."""
    layout = laid((1, 2), (1, 3), (2, 3), (3, 2), (2, 4), (3, 4))
    assert layout.places[2][1] == layout.places[3][1]
    assert [route.shape for route in layout.routes[2:4]] == ["beside", "beside"]


def test_the_main_way_stays_straight_beside_a_rare_one() -> None:
    """Of two branches the one with nine tenths is straight below."""
    places = laid(Arrow(1, 2, 90), Arrow(1, 3, 10), Arrow(2, 4, 90), Arrow(3, 4, 10)).places
    assert places[1][0] == places[2][0] == places[4][0] != places[3][0]


def test_loops_go_back_in_a_lane_and_to_oneself() -> None:
    """A loop runs at the right of all boxes; what repeats itself has its own short way."""
    layout = laid((1, 2), (2, 3), Arrow(3, 2, back=True), Arrow(2, 2, back=True))
    assert [route.shape for route in layout.routes] == ["down", "down", "lane", "self"]
    assert max(x for x, _ in layout.routes[2].points) > layout.places[2][0] + WIDE / 2
    assert max(x for x, _ in layout.routes[2].points) < layout.width


def test_two_loops_over_the_same_steps_have_lanes_of_their_own() -> None:
    """Lanes that would lie on each other are moved apart; those that do not share one."""
    arrows = [(n, n + 1) for n in range(1, 6)]
    layout = laid(*arrows, Arrow(3, 1, back=True), Arrow(2, 1, back=True), Arrow(6, 5, back=True))
    first, second, third = (route.points[1][0] for route in layout.routes[5:])
    assert first != second
    assert third == second


def test_a_way_over_several_layers_goes_around_what_lies_between() -> None:
    """No point of it is inside a box that it does not belong to; past a box it is straight."""
    layout = laid((1, 2), (2, 3), (3, 4), (1, 4))
    inner = layout.routes[3].points[1:-1]
    assert len(inner) == 2 * 2
    assert inner[0][0] == inner[1][0]
    assert all(abs(x - px) > WIDE / 2 or abs(y - py) > HIGH / 2 for x, y in inner for px, py in layout.places.values())


def test_of_a_cycle_that_nobody_called_a_loop_the_rarest_arrow_goes_back() -> None:
    """Every other one points down."""
    layout = laid(Arrow(1, 2, 9), Arrow(2, 3, 9), Arrow(3, 1, 2))
    assert [route.shape for route in layout.routes] == ["down", "down", "lane"]


ENDS = st.integers(0, 9)
ANY = st.lists(st.builds(Arrow, ENDS, ENDS, st.integers(1, 1000).map(float), st.booleans()), max_size=30)


@settings(max_examples=150, deadline=None)
@given(ANY)
@example([Arrow(0, 1), Arrow(0, 2), Arrow(0, 3), Arrow(1, 2), Arrow(9, 0)])  # a way around the last box of its row
def test_any_graph_is_laid_out(arrows: list[Arrow]) -> None:
    """No two boxes overlap, all is within the size said, arrows that do not go back point down, twice is the same."""
    sizes = dict.fromkeys(range(10), (WIDE, HIGH))
    layout = arrange(sizes, arrows)
    assert overlapping(layout) == []
    inside = [*layout.places.values(), *(point for route in layout.routes for point in route.points)]
    assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in inside)
    down = [route.points for route in layout.routes if route.shape == "down"]
    assert all(upper[1] < lower[1] for points in down for upper, lower in pairwise(points))
    assert arrange(sizes, arrows) == layout


@pytest.mark.parametrize("sizes", [{}, {1: (WIDE, HIGH)}])
def test_a_graph_without_arrows_is_laid_out(sizes: dict[int, tuple[float, float]]) -> None:
    """Nothing, or one box."""
    assert set(arrange(sizes, []).places) == set(sizes)
