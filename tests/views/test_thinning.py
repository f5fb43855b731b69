from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deeplog_nb.views.thinning import FEW, PER_STEP, thinned
from tests.views.workflows import dense, workflow

ENDS = st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(any)


def pairs(edges: pl.DataFrame) -> set[tuple[int, int]]:
    """Source and target of each edge."""
    return set(edges.select("source", "target").rows())


def test_few_edges_are_all_drawn() -> None:
    """The paper's workflow of ten edges stays as it is."""
    assert thinned(workflow().edges).equals(workflow().edges)


def test_the_session_s_edges_are_always_drawn() -> None:
    """The rarest of all, if the session took it."""
    edges = dense(20).edges
    rare = next(
        end
        for end in edges.sort("count").select("task", "source", "target").rows()
        if end[1:] not in pairs(thinned(edges))
    )
    assert rare[1:] in pairs(thinned(edges, [rare]))


def test_parallel_lines_of_a_frame_count_once() -> None:
    """Eight steps after eight others, each in any order, are three lines: none is left out."""
    into = [(0, n, "parallel", 9, None) for n in range(1, 9)]
    over = [(s, t, "parallel", 9, None) for s in range(1, 9) for t in range(9, 17)]
    out = [(n, 0, "parallel", 9, None) for n in range(9, 17)]
    edges = workflow(([(n, str(n)) for n in range(1, 17)], [*into, *over, *out])).edges
    assert len(thinned(edges)) == len(edges) == 80


@given(st.dictionaries(ENDS, st.integers(1, 1000), max_size=160))
def test_no_step_is_cut_off(counts: dict[tuple[int, int], int]) -> None:
    """Whatever the edges: every step that was reached from the begin still is, with about as many lines as stated."""
    rows = [(1, *ends, "branch", count) for ends, count in counts.items()]
    edges = pl.DataFrame(rows, schema=["task", "source", "target", "kind", "count"], orient="row")
    kept = pairs(thinned(edges))
    assert reached(kept) == reached(set(counts))
    assert len(kept) <= max(FEW, PER_STEP * 13)


def reached(ends: set[tuple[int, int]]) -> set[int]:
    """The steps to which edges lead from the begin."""
    seen = {0}
    while fresh := {target for source, target in ends if source in seen} - seen:
        seen |= fresh
    return seen
