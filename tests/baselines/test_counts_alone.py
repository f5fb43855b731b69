"""Methods that forget order: distance, principal components, invariants."""

import numpy as np
import polars as pl
import pytest

from deeplog_nb.baselines.distance import CountDistance, nearest
from deeplog_nb.baselines.invariants import Invariants, mine
from deeplog_nb.baselines.pca import PrincipalComponents, q_alpha

TASKS = [[1, 2, 2, 3]] * 30 + [[1, 2, 2, 3, 1, 2, 2, 3]] * 20 + [[1, 2, 2, 4, 3]] * 10


def flagged(model, sessions):
    return model.judge(sessions)["anomalous"].to_list()


def test_the_nearest_vector_is_the_one_that_a_loop_finds():
    """The oracle: every pair, one by one."""
    rng = np.random.default_rng(0)
    ours, known = rng.integers(0, 4, (9, 5)), rng.integers(0, 4, (7, 5))
    each = [min(np.abs(a - b).sum() / max(np.maximum(a, b).sum(), 1) for b in known) for a in ours]
    assert nearest(ours, known) == pytest.approx(each)


def test_counts_that_training_has_are_at_no_distance(sessions):
    """Another order of the same counts is nothing to this method; other counts are, and an unseen key is farthest."""
    model = CountDistance().fit(sessions(*TASKS))
    verdicts = model.judge(sessions([3, 2, 1, 2], [1, 3], [1, 2, 2, 3, 9]))
    assert verdicts["anomalous"].to_list() == [False, True, True]
    assert verdicts["score"].to_list() == pytest.approx([0, 0.5, 1])


def test_the_distance_bound_comes_from_training_left_out(sessions):
    """The one session that stands alone sets the bound, and the source says so."""
    model = CountDistance().fit(sessions(*TASKS, [1, 2, 2, 2, 3]))
    assert model.bound == 0.0 or model.bound < 1
    assert "left out" in model.source


def test_relations_that_sessions_keep_are_mined():
    """Key 2 comes twice for each key 1; key 3 as often as key 1."""
    vectors = np.array([[1, 2, 1, 0], [2, 4, 2, 3], [3, 6, 3, 1]])
    found = {tuple(row) for row in np.abs(mine(vectors, np.ones(3), 0.98)).tolist()}
    assert {(2, 1, 0, 0), (1, 0, 1, 0)} <= found


def test_a_relation_that_few_break_is_still_one():
    """98 of 100 sessions keep it: enough; 97 are not."""
    vectors = np.array([[1, 1], [1, 3]])
    assert len(mine(vectors, np.array([98.0, 2.0]), 0.98)) == 1
    assert len(mine(vectors, np.array([97.0, 3.0]), 0.98)) == 0


def test_a_broken_invariant_is_an_anomaly(sessions):
    """Each session is begun (1) as often as it is ended (3)."""
    model = Invariants().fit(sessions(*TASKS))
    assert flagged(model, sessions([1, 2, 2, 3], [1, 2, 2], [1, 2, 2, 3, 9])) == [False, True, True]


def test_what_the_main_directions_do_not_explain_is_an_anomaly(sessions):
    """Counts vary along one line in training; a session beside the line has a large residual."""
    model = PrincipalComponents(idf=False).fit(
        sessions(*[[1] * n + [2] * n + [3] for n in range(1, 9)] * 5, [1, 2, 3, 3])
    )
    assert flagged(model, sessions([1, 1, 2, 2, 3], [1] * 8 + [3])) == [False, True]


def test_q_alpha_is_that_of_the_simulation():
    """Of normal residuals a share of alpha exceeds the bound."""
    variances = np.array([3.0, 2.0, 1.0, 0.5])
    drawn = (np.random.default_rng(0).normal(size=(200_000, 4)) ** 2 * variances).sum(axis=1)
    assert (drawn > q_alpha(variances, 0.01)).mean() == pytest.approx(0.01, rel=0.2)  # theirs is an approximation


def test_repeats_and_counts_are_the_same(sessions):
    """A session that stands for nine is nine sessions, for all three."""
    once, nine = sessions([1, 2], [1, 2, 2], [2], counts=[9, 3, 1]), sessions(*[[1, 2]] * 9, *[[1, 2, 2]] * 3, [2])
    odd = sessions([1, 2], [1, 1, 1], [2, 2])
    for build in (CountDistance, Invariants, PrincipalComponents):
        assert build().fit(once).judge(odd)["score"].to_list() == pytest.approx(
            build().fit(nine).judge(odd)["score"].to_list()
        )


def test_a_rule_column_names_the_method(sessions):
    """What counts say stands in the column for counts."""
    verdicts = Invariants().fit(sessions(*TASKS)).judge(sessions([1]))
    assert verdicts.select("counts", "unlikely").row(0) == (True, False)
    assert verdicts.filter(pl.col("anomalous")).height == 1
