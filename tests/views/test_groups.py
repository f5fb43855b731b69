from __future__ import annotations

import pytest

from deeplog_nb.views.edges import Bundle, Edge, label, told
from deeplog_nb.views.groups import bundled, groups


def edge(source: int, target: int, kind: str = "parallel", times: int = 9, share: float = 1.0) -> Edge:
    return Edge(source, target, kind, times, share, None)


def both(*ends: tuple[int, int], kind: str = "parallel") -> list[Edge]:
    return [edge(*each, kind=kind) for each in ends]


def test_two_layers_of_steps_in_any_order_are_two_groups() -> None:
    """A mesh from begin over two and three steps to the end: each layer by itself."""
    first, second = (1, 2), (3, 4, 5)
    mesh = [(0, a) for a in first] + [(a, b) for a in first for b in second] + [(b, 6) for b in second]
    assert groups(both(*mesh), range(1, 6)) == [(1, 2), (3, 4, 5)]


def test_one_edge_that_is_missing_does_not_part_a_group() -> None:
    """Of three steps one is never followed by the last: four of five steps beside them are the same."""
    mesh = [(a, b) for a in (1, 2, 3) for b in (4, 5, 6)]
    assert groups(both(*mesh[:-1], *((b, 7) for b in (4, 5, 6))), [4, 5, 6]) == [(4, 5)]
    wide = [(a, b) for a in range(1, 7) for b in (10, 11)]
    assert groups(both(*wide[:-1], (10, 12), (11, 12)), [10, 11]) == [(10, 11)]


@pytest.mark.parametrize(
    "edges",
    [
        both((0, 1), (0, 2), (1, 3), (2, 3), kind="branch"),  # one or the other
        both((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)),  # 1 before 2
        both((0, 1), (0, 2), (1, 4), (4, 2), (1, 3), (2, 3)),  # 4 between them
        both((0, 1), (0, 2), (1, 3), (2, 4)),  # threads of two steps
    ],
)
def test_what_has_an_order_is_not_framed(edges: list[Edge]) -> None:
    """Branches, one after the other, one after the other with one between, and threads that go on apart."""
    assert groups(edges, [1, 2, 3, 4]) == []


def test_steps_with_edges_both_ways_are_a_group() -> None:
    """What method 1 writes as an order both ways is no order."""
    assert groups(both((0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 3)), [1, 2, 3]) == [(1, 2)]


def test_a_bundle_stands_for_all_edges_between_two_places() -> None:
    """Two groups make one line of six; what is within one is not drawn, a loop at a step stays its own."""
    mesh = [edge(a, b) for a in (1, 2) for b in (3, 4, 5)]
    loop = edge(3, 3, "loop")
    bundles = bundled([*mesh, edge(1, 2), edge(2, 1), loop], {1: 8, 2: 8, 3: 9, 4: 9, 5: 9})
    assert bundles == [Bundle(8, 9, tuple(mesh)), Bundle(3, 3, (loop,))]


def test_a_bundle_is_as_often_as_its_most_frequent_edge() -> None:
    """Who comes through a group takes several of its edges at once: their sum would count it several times."""
    assert Bundle(8, 9, (edge(1, 3, times=5), edge(2, 3, times=7))).times == 7


def test_a_label_goes_from_the_least_to_the_most() -> None:
    """Shares and times of several edges, their unit once; one where they are alike, none where it is all."""
    waits = [Edge(1, 3, "next", 5, 0.3, 8335.0), Edge(2, 3, "next", 5, 0.17, 11737.0)]
    assert label(waits) == "17 – 30 % · 2.32 – 3.26 h"
    assert label(waits, shares=False) == "2.32 – 3.26 h"
    assert label([edge(1, 2, share=0.004), edge(1, 3, share=0.5)]) == "< 1 – 50 %"
    assert label([edge(1, 2, share=0.999)]) == ""


def test_every_count_of_a_bundle_is_told() -> None:
    """One edge a line; of more than a dozen, how many more the table has."""
    text = told([edge(1, n, times=1000 + n) for n in range(2, 20)], str)
    assert "1 → 2: 1,002, 100 %" in text
    assert text.endswith("… 6 more, in the table")
