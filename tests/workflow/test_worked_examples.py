"""The examples of the paper's sections 4.2 to 4.4, with n-grams exactly and with small trained networks."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.ngram import NGram
from deeplog_nb.models.training import Training
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.workflow.expression import expression
from deeplog_nb.workflow.predictions import Predictor
from deeplog_nb.workflow.workflow import Workflow

SHORT = [[31, 54, 57, 56, 9, 8]] * 20 + [[7, 18, 54, 57, 18, 5]] * 80  # 54 57 is in two tasks
CONCURRENT = [[25, 18, 54, 57, 18, 56, 31]] * 80 + [[25, 18, 54, 57, 56, 18, 31]] * 20  # Figure 4a
TASKS = [[25, 18, 54, 57, 24, 60, 61, 62]] * 80 + [[25, 18, 54, 57, 26, 37, 38, 39]] * 20  # Figure 4b
BRANCHES = [[25, 18, 54, 57, 24, 60]] * 80 + [[25, 18, 54, 57, 26, 37]] * 20  # few keys: if and else
LOOP = [[26, 37, 39, 40, 39, 40, 41]] * 60 + [[26, 37, 39, 40, 39, 40, 39, 40, 41]] * 40  # Figure 4c
CLEAN_UP = [[26, 37, 38, 39, 40]] * 50  # Figure 5
TEXTS = {
    38: "Instance destroyed successfully",
    39: "Deleting instance files *",
    67: "Error from libvirt during unfilter",
}


def small(history, seed=0):
    return KeyModel(
        history=history, layers=1, units=32, training=Training(epochs=8, draws=1024, device="cpu", seed=seed)
    )


def learners(sessions):
    yield Workflow.from_model(sessions, [NGram(n).fit(sessions) for n in (1, 2, 3)])
    yield Workflow.from_model(sessions, small(3).fit(sessions))
    yield Workflow.from_cooccurrence(sessions)


def chances(models, *histories):
    """What follows each history of three keys, to one decimal, what is under 5 % left out."""
    predictor = Predictor(models)
    codes = np.array([predictor.vocabulary.codes(np.array(history)) for history in histories])
    rows = predictor.chances(codes).astype(float).round(1)
    keys = predictor.vocabulary.keys
    return [
        {key: float(chance) for key, chance in zip(keys, row, strict=True) if chance > 0.05} for row in rows.tolist()
    ]


def test_the_length_with_the_more_certain_prediction_is_used(sessions):
    """54 57 is followed by 18 in one task and by 56 in the other; three keys tell which."""
    one = sessions(*SHORT)
    short, long = NGram(2).fit(one), NGram(3).fit(one)
    asked = [18, 54, 57], [31, 54, 57]
    assert chances(short, *asked) == [{18: 0.8, 56: 0.2}] * 2
    assert chances([short, long], *asked) == [{18: 1.0}, {56: 1.0}]
    trained = [KeyModel(history=h, layers=1, units=32, training=Training(device="cpu")).fit(one) for h in (2, 3)]
    assert chances(trained, *asked) == [{18: 1.0}, {56: 1.0}]


def test_figure_4a_predictions(sessions):
    """Certainty grows until all concurrent keys are in the history."""
    asked = [25, 18, 54], [18, 54, 57], [54, 57, 18], [54, 57, 56]
    wanted = [{57: 1.0}, {18: 0.8, 56: 0.2}, {56: 1.0}, {18: 1.0}]
    assert chances(NGram(3).fit(sessions(*CONCURRENT)), *asked) == wanted


@pytest.mark.parametrize(
    ("sequences", "tasks"),
    [
        (CONCURRENT, ["25 -> 18 -> 54 -> 57 -> (18 || 56) -> 31"]),
        (TASKS, ["25 -> 18 -> 54 -> 57", "24 -> 60 -> 61 -> 62", "26 -> 37 -> 38 -> 39"]),
        (BRANCHES, ["25 -> 18 -> 54 -> 57 -> (24 -> 60 | 26 -> 37)"]),
        (LOOP, ["26 -> 37 -> (39 -> 40)* -> 41"]),
    ],
    ids=["4a concurrency", "4b new tasks", "if-else", "4c loop"],
)
def test_divergence_points_are_told_apart(sessions, sequences, tasks):
    """Concurrency, new tasks, branches and loops, by n-grams of three lengths, by a network and by co-occurrence."""
    for workflow in learners(sessions(*sequences)):
        assert [expression(task) for task in workflow.tasks] == tasks


def test_a_whole_log_as_one_session(sessions):
    """Tasks one after another, in an order that tells nothing; one of them has a loop."""
    runs = [
        [25, 18, 54, 57, 18, 56, 31],
        [25, 18, 54, 57, 56, 18, 31],
        [1, 2, 3, 4],
        [26, 37, 39, 40, 39, 40, 41],
        [7, 8],
    ]
    order = np.random.default_rng(0).integers(0, len(runs), 500)
    log = sessions([key for run in order.tolist() for key in runs[run]])
    wanted = {"25 -> 18 -> 54 -> 57 -> (18 || 56) -> 31", "1 -> 2 -> 3 -> 4", "26 -> 37 -> (39 -> 40)* -> 41", "7 -> 8"}
    for workflow in learners(log):
        assert {expression(task) for task in workflow.tasks} == wanted


@pytest.mark.parametrize(
    "runs",
    [
        [[1, 2, 3], [4, 5, 6]],
        [[1, 2], [4, 5]],
        [[1, 2], [4, 5], [7, 8]],
        [[1, 2, 3], [4, 5]],
        [[1, 2], [4, 5, 6, 7, 8]],
        [[1, 2, 3], [25, 54, 57, 18, 56, 31], [25, 54, 57, 56, 18, 31]],
    ],
    ids=["three and three", "two and two", "three of two", "three and two", "two and five", "with threads"],
)
def test_short_tasks_in_any_order_are_no_threads(sessions, runs):
    """Each candidate makes new keys certain, and then the same divergence comes again."""
    order = np.random.default_rng(0).integers(0, len(runs), 600)
    log = sessions([key for run in order.tolist() for key in runs[run]])
    for workflow in learners(log):
        wanted = {" -> ".join(map(str, run)) for run in runs if 57 not in run}
        wanted |= {"25 -> 54 -> 57 -> (56 || 18) -> 31"} if any(57 in run for run in runs) else set()
        assert {expression(task) for task in workflow.tasks} == wanted


@pytest.mark.parametrize("threads", [([1], [2]), ([1, 2], [4]), ([1, 2], [4, 5])], ids=["1 1", "2 1", "2 2"])
def test_short_threads_of_one_task_stay_threads(sessions, threads):
    """Two threads of one or two keys, in every order, one run behind another in one sequence."""
    one, other = threads
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(300):
        left = rng.permutation([0] * len(one) + [1] * len(other)).tolist()
        own = [iter(one), iter(other)]
        runs.append([9, *(next(own[thread]) for thread in left), 8])
    log = sessions([key for run in runs for key in run])
    for workflow in (Workflow.from_model(log, [NGram(n).fit(log) for n in (1, 2, 3)]), Workflow.from_cooccurrence(log)):
        (found,) = (expression(task) for task in workflow.tasks)
        shown = {" -> ".join(map(str, thread)) for thread in threads}
        assert found in {f"(9 -> ({a} || {b}) -> 8)*" for a in shown for b in shown - {a}}


def test_p_d_is_shown_as_defined_and_tested_without_the_factor(sessions):
    """In a regular sequence the key two places on has p_2 = 1/2, and is bound all the same."""
    workflow = Workflow.from_cooccurrence(sessions([1, 2, 3] * 20 + [9]), tau=0.9, background=())
    shown = {(key, other): forward for key, other, forward, _ in workflow.cooccurrence(2).rows()}
    assert shown[1, 3] == 0.5
    assert shown[1, 2] == 0.5  # one of the two keys within the distance
    assert sum(forward for (key, _), forward in shown.items() if key == 1) == 1.0  # the rows sum to 1


def test_threads_in_any_order_grow_with_the_distance(sessions):
    """50/50: as printed p_1 = p_2 = 1/2; what is tested is 1/2, then 1."""
    workflow = Workflow.from_cooccurrence(sessions(*[[1, 2, 3, 4], [1, 3, 2, 4]] * 20))
    at = {d: workflow.cooccurrence(d).filter(key=1, other=2)["forward"].item() for d in (1, 2)}
    assert at == {1: 0.5, 2: 0.5}
    assert [expression(task) for task in workflow.tasks] == ["1 -> (2 || 3) -> 4"]


def test_figure_5_an_error_in_clean_up(sessions):
    """After 26 37 38 comes 67 instead of 39: an error between destroying the machine and deleting its files."""
    train = sessions(*CLEAN_UP)
    model = NGram(1).fit(train)
    verdicts = judge(model.rank(sessions([26, 37, 38, 67, 39, 40])), policy=Policy(g=1))
    found = Workflow.from_model(train, model, templates=TEXTS).diagnose(verdicts).row(0, named=True)
    assert (found["last_good"], found["expected"], found["probabilities"], found["seen"]) == (3, [39], [1.0], 67)
    assert found["sentence"] == (
        "Between ‘Instance destroyed successfully’ and ‘Deleting instance files *’ came "
        "‘Error from libvirt during unfilter’, which was never seen in training."
    )


def test_image_creation_slow(sessions):
    """The step from 52 to 53 takes longer than ever: what 52 began was slow."""

    def timed(frame, took):
        seconds = pl.Series([0, 1, 1 + took, 2 + took] * frame["session"].n_unique())
        return frame.with_columns(time=pl.lit(datetime(2026, 3, 2)) + pl.duration(seconds=seconds))

    train = timed(sessions(*[[51, 52, 53, 32]] * 20), 13)
    model = NGram(1).fit(train)
    late = model.rank(timed(sessions([51, 52, 53, 32]), 41))
    at = pl.col("position") == 2
    verdicts = judge(late, policy=Policy(g=1)).with_columns(
        timing=at, anomalous=at, why=pl.when(at).then(pl.lit("elapsed 41 s, expected 13 s")).otherwise(pl.lit(""))
    )
    texts = {51: "Claim successful", 52: "Creating image", 53: "VM Started (Lifecycle Event)", 32: "VM Paused"}
    found = Workflow.from_model(train, model, templates=texts).diagnose(verdicts).row(0, named=True)
    assert found["sentence"] == (
        "From ‘Creating image’ to ‘VM Started (Lifecycle Event)’ took 41 s, usually 13 s, 99 of 100 within 13 s: "
        "‘Creating image’ was slow."
    )
    assert (found["elapsed"], found["usual"], found["slow"]) == (41.0, 13.0, [52, 53])
