"""Which sessions the automata can produce, and what of them is which step."""

import polars as pl
import pytest

from deeplog_nb.evaluation.hdfs import hdfs
from deeplog_nb.workflow.workflow import Workflow

LIFE = [[1, 2, 3, 4], [1, 3, 2, 4]] * 20


@pytest.fixture
def workflow(sessions):
    return Workflow.from_cooccurrence(sessions(*LIFE))


def test_what_was_learnt_fits(workflow, sessions):
    """Both orders of the threads."""
    assert workflow.conformance(sessions(*LIFE))["fits"].all()


@pytest.mark.parametrize(
    ("keys", "position", "key"),
    [([1, 2, 4], 2, 4), ([1, 2, 3], 3, None), ([2, 3, 4], 0, 2), ([1, 2, 2, 3, 4], 2, 2), ([1, 9, 2, 3, 4], 1, 9)],
    ids=["a thread is missing", "the end is missing", "the begin is missing", "twice", "unknown"],
)
def test_where_a_session_first_does_not_fit(workflow, sessions, keys, position, key):
    """The position and the key there; the length and no key where more had to come."""
    row = workflow.conformance(sessions(keys)).row(0, named=True)
    assert (row["fits"], row["position"], row["key"]) == (False, position, key)


def test_an_open_session_may_end_anywhere(workflow, sessions):
    """But what it holds has to fit."""
    assert workflow.conformance(sessions([1, 2], open_=True))["fits"].all()
    assert not workflow.conformance(sessions([2, 1], open_=True))["fits"].any()


def test_tasks_follow_as_they_may(sessions):
    """One task after another, each whole."""
    rows = sessions(*[[1, 2, 3, 4, 11, 12, 13, 14], [11, 12, 13, 14, 1, 2, 3, 4], [1, 2, 3, 4] * 2] * 20)
    workflow = Workflow.from_cooccurrence(rows)
    assert workflow.conformance(sessions([1, 2, 3, 4, 11, 12, 13, 14, 1, 2, 3, 4]))["fits"].all()
    assert workflow.conformance(sessions([1, 2, 3, 11, 12, 13, 14]))["position"].to_list() == [3]


def test_a_trace_paints_the_session_over_the_tasks(sessions):
    """Task, step and run of every entry; null for the background and for what is no step."""
    rows = sessions(*[[1, 2, 3, 4, 11, 12, 13, 14], [11, 12, 13, 14, 1, 2, 3, 4], [1, 2, 3, 4] * 2] * 20)
    workflow = Workflow.from_cooccurrence(rows)
    one = next(at for at, task in enumerate(workflow.tasks, 1) if 1 in task.keys)
    other = 3 - one
    traced = workflow.trace(sessions([1, 2, 9, 3, 4, 11, 12, 13, 14]))
    assert traced["task"].to_list() == [one, one, None, one, one, *[other] * 4]
    assert traced["step"].to_list() == [1, 2, None, 3, 4, 1, 2, 3, 4]
    assert traced["run"].to_list() == [1, 1, None, 1, 1, 2, 2, 2, 2]
    assert traced["fits"].to_list() == [True, True, False, *[True] * 6]


def test_a_trace_keeps_the_rows_and_their_order(workflow, sessions):
    """Sessions that interleave in the frame come back as they were."""
    rows = sessions([1, 2, 3, 4], [1, 3, 2, 4]).sort("position")
    traced = workflow.trace(rows)
    assert traced.select(rows.columns).equals(rows)
    assert traced.filter(session="s1").sort("position")["step"].to_list() == [1, 3, 2, 4]


def test_sessions_of_a_task_are_named(workflow, sessions):
    """Those that run it."""
    assert workflow.sessions_of(1, sessions([1, 2, 3, 4], [9, 9])) == ["s0"]


def test_suggestions_have_reasons(workflow):
    """h: the shortest workflow; g: the widest divergence point, the begin of two threads."""
    found = workflow.suggest()
    assert (found.history, found.g) == (4, 2)
    assert "4 steps" in found.why_history
    assert found.why_g == "after key 1 (task 1) come key 2 or key 3"


def test_hdfs_blocks_are_judged_by_one_automaton(data):
    """All 16,838 anomalous blocks are found, and 0.6 % of the normal ones are flagged: every sixth alarm is wrong."""
    data("hdfs/train_normal.parquet")
    parts = hdfs()
    found = Workflow.from_cooccurrence(parts.train).conformance(parts.test).join(parts.truth, on="session")
    counts = dict(found.filter(~pl.col("fits")).group_by("anomalous").agg(pl.col("count").sum()).rows())
    assert counts[True] == 16_838
    assert counts[False] < 0.01 * 553_366


def test_one_branch_behind_the_other_does_not_fit(sessions):
    """They are no threads: no run has both."""
    workflow = Workflow.from_cooccurrence(sessions(*[[1, 2, 4, 5], [1, 3, 4, 5]] * 50))
    assert workflow.conformance(sessions([1, 2, 3, 4, 5])).select("fits", "position", "key").rows() == [(False, 2, 3)]
