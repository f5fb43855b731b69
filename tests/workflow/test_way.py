from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.frames import EDGES, STEPS
from deeplog_nb.workflow.drawn import Drawn
from deeplog_nb.workflow.way import Way

Edge = tuple[int, int, int, str]


def frames(keys: dict[tuple[int, int], int], *edges: Edge) -> tuple[pl.DataFrame, pl.DataFrame]:
    """STEPS of ``(task, step): key`` and EDGES of ``task, source, target, kind``."""
    tasks = sorted({task for task, _ in keys})
    steps = [(task, 0, None, 9) for task in tasks] + [(*step, key, 9) for step, key in keys.items()]
    rows = [(*edge, 9, 1.0, None, None) for edge in edges]
    return pl.DataFrame(steps, schema=STEPS, orient="row"), pl.DataFrame(rows, schema=EDGES, orient="row")


CHAIN = frames({(1, 1): 7, (1, 2): 8, (1, 3): 9}, *((1, n, (n + 1) % 4, "next") for n in range(4)))
FORK = frames(
    {(1, 1): 10, (1, 2): 20, (1, 3): 21, (1, 4): 30, (1, 5): 40},  # 10 -> (20 -> 21 || 30) -> 40
    (1, 0, 1, "next"),
    (1, 1, 2, "parallel"),
    (1, 1, 4, "parallel"),
    (1, 2, 3, "next"),
    (1, 3, 5, "parallel"),
    (1, 4, 5, "parallel"),
    (1, 5, 0, "next"),
)


def test_a_session_that_follows_leaves_nowhere() -> None:
    """Its edges carry the numbers of its entries; the last one leads to the end."""
    found = Drawn.of(*CHAIN).walk([7, 8, 9])
    assert found == Way({(1, 0, 1): (1,), (1, 1, 2): (2,), (1, 2, 3): (3,), (1, 3, 0): ()}, entries=3)
    assert found.visits == {(1, 1): [1], (1, 2): [2], (1, 3): [3]}


@pytest.mark.parametrize(
    ("keys", "left", "expected", "came"),
    [
        ([7, 9], (1, 1), (8,), 9),
        ([7, 8], (1, 2), (9,), None),
        ([8], (1, 0), (7,), 8),
        ([7, 8, 9, 7, 7], (1, 1), (8,), 7),
        ([7, 8, 9, 8], (1, 3), (None,), 8),
        ([], (1, 0), (7,), None),
    ],
)
def test_where_a_session_leaves_is_told(keys: list[int], left: tuple[int, int], expected: object, came: object) -> None:
    """The last step that fits, what could have come there, and what came; a task may be begun again."""
    found = Drawn.of(*CHAIN).walk(keys)
    assert (found.left, found.expected, found.came) == (left, expected, came)


@pytest.mark.parametrize("keys", [[10, 20, 21, 30, 40], [10, 30, 20, 21, 40], [10, 20, 30, 21, 40]])
def test_parallel_branches_may_come_in_any_order(keys: list[int]) -> None:
    """Every interleaving follows, and both branches lead to the join."""
    found = Drawn.of(*FORK).walk(keys)
    assert found.left is None
    assert set(found.taken) == {(1, s, t) for s, t in FORK[1].select("source", "target").rows()}


def test_a_step_within_a_branch_does_not_come_before_its_forerunner() -> None:
    """21 without 20 is no interleaving."""
    found = Drawn.of(*FORK).walk([10, 30, 21])
    assert (found.left, found.came) == ((1, 4), 21)
    assert 20 in found.expected


def test_of_two_branches_one_is_taken() -> None:
    """Behind the one the other is not expected, and comes instead of what is."""
    ends = (((1, 0, 1), "next"), ((1, 1, 2), "branch"), ((1, 1, 3), "branch"), ((1, 2, 4), "next"), ((1, 3, 4), "next"))
    either = frames({(1, 1): 7, (1, 2): 8, (1, 3): 9, (1, 4): 6}, *((*e, k) for e, k in ends), (1, 4, 0, "next"))
    found = Drawn.of(*either).walk([7, 8, 9, 6])
    assert (found.left, found.expected, found.came) == ((1, 2), (6,), 9)


def test_a_loop_is_taken_as_often_as_it_comes() -> None:
    """All passes are numbered on its edge, that of a step to itself too."""
    loop = frames({(1, 1): 7, (1, 2): 8}, (1, 0, 1, "next"), (1, 1, 2, "next"), (1, 2, 1, "loop"), (1, 2, 0, "next"))
    assert Drawn.of(*loop).walk([7, 8, 7, 8, 7, 8]).taken[1, 2, 1] == (3, 5)


def test_a_key_at_several_steps_is_told_apart_by_what_follows() -> None:
    """Two tasks begin alike; the second key decides."""
    two = frames(
        {(1, 1): 7, (1, 2): 8, (2, 1): 7, (2, 2): 9},
        *((task, s, t, "next") for task in (1, 2) for s, t in ((0, 1), (1, 2), (2, 0))),
    )
    assert [edge[0] for edge in Drawn.of(*two).walk([7, 9]).taken] == [2, 2, 2]


def test_keys_of_no_task_are_passed_over_and_keep_their_numbers() -> None:
    """A background entry between two steps changes nothing but the numbers."""
    found = Drawn.of(*CHAIN, background=[99]).walk([7, 99, 8, 9])
    assert found.visits == {(1, 1): [1], (1, 2): [3], (1, 3): [4]}


@pytest.mark.parametrize(("keys", "missing"), [([10, 30, 40], 20), ([10, 20, 30, 40], 21), ([10, 20, 21, 40], 30)])
def test_threads_are_complete_where_they_join(keys: list[int], missing: int) -> None:
    """What every run came by before has to be done: its next key is expected, the join is not."""
    found = Drawn.of(*FORK).walk(keys)
    assert (found.came, found.expected) == (40, (missing,))


def test_a_way_around_a_step_is_not_taken_by_who_comes_through_it() -> None:
    """7 -> [8] -> 9 beside 6: the edge from 7 to 9 is another run's."""
    beside = frames(
        {(1, 1): 7, (1, 2): 8, (1, 3): 9, (1, 4): 6},
        *((1, *ends, "parallel") for ends in ((1, 2), (1, 3), (1, 4), (3, 0), (4, 0))),
        (1, 0, 1, "next"),
        (1, 2, 3, "next"),
    )
    assert (1, 1, 3) not in Drawn.of(*beside).walk([7, 8, 9, 6]).taken
    assert Drawn.of(*beside).walk([7, 9, 6]).taken[1, 1, 3] == (2,)


def test_a_second_run_of_a_task_begins_anew() -> None:
    """The first run is led to its end."""
    found = Drawn.of(*CHAIN, background=[99]).walk([7, 8, 9, 99, 7])
    assert found.taken == {(1, 0, 1): (1, 5), (1, 1, 2): (2,), (1, 2, 3): (3,), (1, 3, 0): ()}
    assert (found.left, found.expected) == ((1, 1), (8,))


def test_a_session_that_the_log_cut_off_leaves_nowhere() -> None:
    """It may end anywhere, and takes no edge to the end."""
    found = Drawn.of(*CHAIN).walk([7, 8], open_=True)
    assert (found.left, found.taken) == (None, {(1, 0, 1): (1,), (1, 1, 2): (2,)})


def test_of_several_ways_the_likeliest_is_told() -> None:
    """A key that begins two tasks, one of them oftener so, and nothing behind it to tell which."""
    steps, edges = frames(
        {(1, 1): 7, (1, 2): 8, (2, 1): 8, (2, 2): 9},
        *((task, s, t, "next") for task in (1, 2) for s, t in ((0, 1), (1, 2), (2, 0))),
        (1, 0, 2, "branch"),
    )
    rare = (pl.col("task") == 1) & (pl.col("source") == 0) & (pl.col("target") == 2)
    edges = edges.with_columns(share=pl.when(rare).then(0.1).otherwise("share"))
    assert Drawn.of(steps, edges).walk([8], open_=True).visits == {(2, 1): [1]}
