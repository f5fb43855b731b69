"""Divergence points from which each way on is a task of its own."""

import numpy as np
import pytest

from deeplog_nb.workflow.divergence import in_turn

TURN = {0: {1: 1.0}, 1: {0: 0.5, 2: 0.5}, 2: {3: 1.0}, 3: {0: 0.5, 2: 0.5}}  # 0 1 or 2 3, in any order
LOOP = {0: {1: 1.0}, 1: {0: 0.5, 2: 0.5}, 2: {3: 1.0}, 3: {0: 1.0}}  # 3 (0 1)* 2: one way out leads into the loop
BRANCH = {0: {1: 1.0}, 1: {3: 1.0}, 2: {3: 1.0}, 3: {0: 0.5, 2: 0.5}}  # 3 (0 1 | 2): the branches join
REPEATED = {0: {0: 0.5, 2: 0.5}, 2: {0: 0.5, 2: 0.5}}  # nothing is ever certain
LEFT = {0: {1: 1.0}, 1: {0: 0.5, 2: 0.4}, 2: {3: 1.0}, 3: {1: 0.5}}  # behind 2 3 comes another divergence


def found(step, last):
    """For the next-codes 0 and 2 behind a history that ends with this one: whether they begin a task."""
    table = np.zeros((6, 4), np.float32)
    for own, chances in step.items():
        for other, chance in chances.items():
            table[own + 2, other] = chance
    return in_turn(np.array([[last + 2]]), lambda own: table[own[:, -1]], tau=0.9)[0, [0, 2]].tolist()


@pytest.mark.parametrize("last", [1, 3])
def test_each_candidate_leads_back_by_its_own_keys(last):
    """Behind either task both may come."""
    assert found(TURN, last) == [True, True]


@pytest.mark.parametrize(
    ("step", "last"),
    [(LOOP, 1), (BRANCH, 3), (REPEATED, 0), (LEFT, 1)],
    ids=["loop", "branches that join", "repeated keys", "another divergence behind"],
)
def test_all_else_is_left_to_the_other_rules(step, last):
    """A loop's body, branches that join, keys in any order, and what leads elsewhere are no tasks in turn."""
    assert found(step, last) == [False, False]


def test_what_is_certain_begins_nothing():
    """No divergence, no task."""
    assert found(TURN, 0) == [False, False]
