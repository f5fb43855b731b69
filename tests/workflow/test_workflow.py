"""Tasks told apart on generated and on real logs, against the generator's own automata."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.evaluation.parts import numbered
from deeplog_nb.frames import EDGES, STEPS, InputError, ModelError, check
from deeplog_nb.models.ngram import NGram
from deeplog_nb.workflow.expression import expression
from deeplog_nb.workflow.workflow import Workflow
from tests.workflow.truth import compared, stream

TAUS = (0.85, 0.9, 0.95)


@pytest.fixture(scope="module", params=[0, 1, 100])
def log(request):
    return stream(request.param)


def learnt(log, method, **options):
    if method == "cooccurrence":
        return Workflow.from_cooccurrence(log.sessions, **options)
    return Workflow.from_model(log.sessions, [NGram(n).fit(log.sessions) for n in (1, 2, 3)], **options)


@pytest.mark.parametrize("method", ["model", "cooccurrence"])
def test_both_methods_find_the_true_automata(log, method):
    """Nine tasks one after another with 2 % background: tasks, edges and their kinds, for the paper's range of tau."""
    for tau in TAUS:
        found = compared(learnt(log, method, tau=tau), log.names, set(log.tasks))
        assert found["tasks"] == found["truth"] == 9
        assert min(found["precision"], found["recall"]) >= 0.98
        assert found["labels"] >= 0.95


def test_background_at_random_places_is_found(log):
    """Three kinds of entries that no task has."""
    assert learnt(log, "cooccurrence").background == tuple(range(len(log.names) + 1, len(log.names) + 4))


@pytest.mark.parametrize("method", ["model", "cooccurrence"])
def test_tau_of_one_fails_on_background_that_is_left_in(method):
    """As the paper says; a smaller one still tells the tasks apart."""
    noisy = stream(0)
    fails = compared(learnt(noisy, method, tau=1.0, background=()), noisy.names, set(noisy.tasks))
    assert fails["tasks"] > 9
    assert fails["recall"] < 0.9
    kept = compared(learnt(noisy, method, tau=0.9, background=()), noisy.names, set(noisy.tasks))
    assert (kept["tasks"], kept["recall"]) == (9, 1.0)


def test_tau_of_one_serves_where_nothing_is_in_between():
    """The clean log: every pair of a task is certain."""
    clean = stream(0, share=0.0)
    assert compared(learnt(clean, "cooccurrence", tau=1.0), clean.names, set(clean.tasks))["recall"] == 1.0


def test_the_comparison_sees_what_is_wrong(log):
    """An automaton without its last task, and one of the noise, are worse: the oracle can fail."""
    truth = set(log.tasks)
    assert compared(learnt(log, "cooccurrence"), log.names, truth | {"copy"})["recall"] == 1.0
    wrong = Workflow.from_cooccurrence(log.sessions, tau=0.2)
    assert compared(wrong, log.names, truth)["precision"] < 0.9


def test_frames_keep_their_contracts(log):
    """STEPS and EDGES; task 1 is the most frequent, step 0 its begin, counts add up."""
    workflow = learnt(log, "cooccurrence")
    check(workflow.steps, STEPS, "steps")
    check(workflow.edges, EDGES, "edges")
    sizes = workflow.steps.filter(step=0)["count"].to_list()
    assert sizes == sorted(sizes, reverse=True)
    begun = (
        workflow.edges.filter(pl.col("source") == 0, pl.col("kind") != "parallel").group_by("task").agg(pl.sum("count"))
    )
    assert all(count <= sizes[task - 1] for task, count in begun.rows())


def test_sessions_with_an_id_of_several_tasks(sessions):
    """Each session is one life: what follows in any order and number is tasks of its own."""
    rng = np.random.default_rng(0)
    parts = [[11, 12, 13, 14], [21, 22, 23, 24], [31, 32, 33, 34]]
    lives = [[1, 2, 3, 4] + [k for i in rng.integers(0, 3, 3) for k in parts[i]] + [8, 9] for _ in range(200)]
    for workflow in (
        Workflow.from_model(sessions(*lives), NGram(2).fit(sessions(*lives))),
        Workflow.from_cooccurrence(sessions(*lives)),
    ):
        assert {expression(task) for task in workflow.tasks} >= {"11 -> 12 -> 13 -> 14", "21 -> 22 -> 23 -> 24"}
        assert workflow.following.filter(task=0)["share"].max() == 1.0


def test_rare_edges_are_not_drawn(sessions):
    """What one run of a hundred does is no edge; what ten do is."""
    one = sessions([1, 2, 3, 4], [1, 2, 4], [1, 5, 2, 3, 4], counts=[89, 10, 1])
    edges = Workflow.from_cooccurrence(one).edges
    assert edges.filter(source=2)["count"].to_list() == [89 + 1, 10]
    assert edges.height == 6


def test_waits_of_edges_are_measured(sessions):
    """Median and what 99 of 100 do not exceed, in seconds, also from the elapsed column."""
    rows = sessions(*[[1, 2, 3]] * 4).with_columns(elapsed=pl.Series([None, 1.0, 5.0] * 3 + [None, 9.0, 5.0]))
    edges = Workflow.from_cooccurrence(rows.with_columns(count=pl.lit(5, pl.UInt32))).edges
    assert edges.filter(source=1).select("median_elapsed", "p99_elapsed").row(0) == (1.0, 9.0)
    assert edges.filter(source=0)["median_elapsed"].to_list() == [None]


def test_a_session_that_the_log_cut_off_teaches_no_end(sessions):
    """The last run of an open session is no run of its task."""
    closed, open_ = sessions(*[[1, 2, 3, 4]] * 20), sessions(*[[1, 2]] * 5, open_=True)
    both = pl.concat([closed, open_.with_columns(session=pl.format("o{}", "session"))])
    assert Workflow.from_cooccurrence(both).edges.filter(source=2)["target"].to_list() == [3]


def test_what_cannot_be_is_refused(sessions):
    """Shares out of range, no model, models of other keys, a matrix that was not built."""
    one = sessions(*[[1, 2, 3]] * 9)
    with pytest.raises(InputError, match=r"tau is 1\.5"):
        Workflow.from_cooccurrence(one, tau=1.5)
    with pytest.raises(InputError, match="models is empty"):
        Workflow.from_model(one, [])
    with pytest.raises(ModelError, match="do not know the same keys"):
        Workflow.from_model(one, [NGram(1).fit(one), NGram(2).fit(sessions([7, 8, 9]))])
    with pytest.raises(InputError, match="built those up to 4"):
        Workflow.from_cooccurrence(one).cooccurrence(9)


def test_no_sessions_give_no_tasks(sessions):
    """An empty frame is a log without tasks, not an error."""
    empty = sessions([1]).clear()
    workflow = Workflow.from_cooccurrence(empty)
    assert (workflow.tasks, workflow.steps.height, workflow.edges.height) == ((), 0, 0)
    assert repr(workflow).startswith("Workflow of 0 tasks")


@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=12), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_sessions_give_a_workflow(sequences):
    """Nothing breaks, frames keep their contracts, and what was learnt can be traced, judged, saved and drawn."""
    rows = numbered(pl.DataFrame({"sequence": sequences}), "s")
    for workflow in (
        (Workflow.from_cooccurrence(rows), Workflow.from_model(rows, NGram(1).fit(rows)))
        if any(any(keys) for keys in sequences)
        else ()
    ):
        assert workflow.trace(rows).height == rows.height
        assert workflow.conformance(rows).height == len(sequences)
        assert workflow.to_dot().count("{") == workflow.to_dot().count("}")
        assert repr(workflow)


def test_hdfs_blocks_are_one_task_at_one_glance(data):
    """Three receivers at once fold into steps that repeat, concurrent ones beside one another; 839 orders, one line."""
    train = numbered(pl.read_parquet(data("hdfs/train_normal.parquet")), "train")
    wanted = ["(5* || 22) -> (11* || 9* || 26*) -> [4* || 3* || 2*] -> [23* -> 21*]"]
    assert [expression(task) for task in Workflow.from_cooccurrence(train).tasks] == wanted
    models = [NGram(n).fit(train) for n in (1, 2, 3, 5)]
    assert [expression(task) for task in Workflow.from_model(train, models).tasks] == wanted
