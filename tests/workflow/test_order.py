"""The order of steps, told from runs."""

from deeplog_nb.workflow.order import order

FORK = [((1, 2, 3), 88), ((1, 3, 2), 77)]  # 2 and 3 at once


def test_a_rare_step_belongs_to_the_thread_that_it_never_came_ahead_of():
    """4 comes behind 3 in all of 16 runs, ahead of 2 in one: it is no join of both, with one mistake."""
    found = order([*FORK, ((1, 2, 3, 4), 9), ((1, 3, 2, 4), 6), ((1, 3, 4, 2), 1)], 4)
    assert (3, 4) in found.before
    assert (2, 4) in found.together


def test_what_comes_directly_behind_another_step_may_belong_to_this_one_all_the_same():
    """4 comes ahead of 2 once, and else directly behind it."""
    found = order([*FORK, ((1, 3, 2, 4), 12), ((1, 3, 4, 2), 1), ((1, 2, 3, 4), 1)], 4)
    assert (3, 4) in found.before
    assert (2, 4) in found.together


def test_a_step_behind_both_threads_joins_them():
    """However few runs it comes in, where it is ahead of neither and follows the one as often as the other."""
    found = order([*FORK, ((1, 2, 3, 4), 9), ((1, 3, 2, 4), 7)], 4)
    assert {(2, 4), (3, 4)} <= found.before


def test_one_mistake_in_many_runs_is_none():
    """What comes in most runs is a join, even if one run has it ahead of a thread."""
    found = order([((1, 2, 3, 4), 88), ((1, 3, 2, 4), 77), ((1, 3, 4, 2), 1)], 4)
    assert {(2, 4), (3, 4)} <= found.before
