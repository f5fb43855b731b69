"""Alarms explained: against planted truth, and a sentence for each rule."""

from datetime import datetime

import polars as pl
import pytest

from deeplog_nb.data.openstack import make_openstack
from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import DIAGNOSES, InputError, ModelError, check
from deeplog_nb.lines.read import read
from deeplog_nb.models.ngram import NGram
from deeplog_nb.models.zscore import ZScore
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.workflow.workflow import Workflow

MACHINE = r"\[instance: ([0-9a-f-]{36})\]"
ORDER = ("missing_step", "extra_step", "swapped_order", "wrong_branch", "cut_short")


@pytest.fixture(scope="module", params=[1, 2])
def planted(request, tmp_path_factory):
    """A generated log with 40 anomalies of 8 kinds, what is true of them, and the workflow of its normal sessions."""
    made = make_openstack(request.param, vms=300, anomalies=5)
    lines = read(made.write(tmp_path_factory.mktemp("openstack")))
    templates = Spell().fit(lines)
    sessions = sessionize(templates.parse(lines), by=MACHINE)
    normal = sessions.join(made.truth.filter(~pl.col("anomalous"), ~pl.col("open")), on="session", how="semi")
    workflow = Workflow.from_model(normal, [NGram(n).fit(normal) for n in (1, 2, 3)], templates=templates)
    named = made.lines.join(lines.select("line", "file"), on="line").select("line", "step", "session")
    return sessions, made.truth.filter("anomalous"), workflow, named


def verdicts_of(sessions, truth, rule_of):
    """What a judge would say who is always right: one alarm a session, at the line where the anomaly first shows."""
    ranks = NGram(1).fit(sessions).rank(sessions)
    plain = judge(ranks, policy=Policy())
    at = sessions.join(truth.select("session", "line", "kind"), on=["session", "line"]).select(
        "session", "position", "kind"
    )
    ends = sessions.group_by("session").agg(end=pl.len().cast(pl.UInt32))
    rows = at.join(ends, on="session").select(
        "session",
        position=pl.when(pl.col("kind") == "cut_short").then("end").otherwise("position"),
        rule=pl.col("kind").replace_strict(rule_of),
    )
    marked = plain.join(rows, on=["session", "position"], how="left", maintain_order="left")
    rules = {rule: (pl.col("rule") == rule).fill_null(False) for rule in set(rule_of.values())}
    return marked.with_columns(**rules, anomalous=pl.col("rule").is_not_null()).drop("rule")


RULES = dict.fromkeys(ORDER, "unlikely") | {
    "cut_short": "ended_early",
    "unseen_message": "unseen",
    "slow_step": "timing",
    "abnormal_value": "value",
}


def test_the_planted_step_is_named(planted):
    """Sequence anomalies: the step that is missing, came too much or in the wrong place is among expected and seen."""
    sessions, truth, workflow, named = planted
    found = workflow.diagnose(verdicts_of(sessions, truth, RULES)).join(truth, on="session")
    keys = named.join(sessions.select("line", "key"), on="line").group_by("step").agg(pl.col("key").mode().first())
    key_of = dict(keys.rows())
    rows = found.filter(pl.col("kind").is_in(ORDER)).to_dicts()
    told = [key_of[row["step"]] in [*row["expected"][:3], row["seen"]] for row in rows]
    assert len(told) == 25
    assert sum(told) >= 0.95 * len(told)


def test_the_slow_edge_is_named(planted):
    """Time anomalies: the edge is the planted one, and it took longer than 99 of 100."""
    sessions, truth, workflow, _ = planted
    rows = workflow.diagnose(verdicts_of(sessions, truth, RULES)).filter(rule="timing")
    slow = rows.filter(pl.col("elapsed") > pl.col("late"), pl.col("slow").list.get(1) == pl.col("seen"))
    assert rows.height == 5
    assert slow.height == 5
    assert slow["sentence"].str.contains("was slow").all()


def test_diagnoses_keep_their_contract(planted):
    """DIAGNOSES and no other columns, a row an alarm, one sentence each."""
    sessions, truth, workflow, _ = planted
    found = check(workflow.diagnose(verdicts_of(sessions, truth, RULES)), DIAGNOSES, "diagnoses")
    assert found.columns == list(DIAGNOSES)
    assert found.height == truth.height == 40
    assert found["sentence"].str.ends_with(".").all()
    assert found["probabilities"].list.len().equals(found["expected"].list.len())


LIFE = [[1, 2, 3, 4, 5], [1, 3, 2, 4, 5]] * 20
TEXTS = {1: "begin <id>", 2: "left", 3: "right", 4: "join", 5: "end"}


def alarm(sessions, keys, position, rule, why="", **columns):
    """One session with one alarm, and what the workflow of two concurrent threads says of it."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions(keys)), policy=Policy())
    at = pl.col("position") == position
    marked = rows.with_columns(
        **{rule: at}, anomalous=at, why=pl.when(at).then(pl.lit(why)).otherwise(pl.lit("")), **columns
    )
    return Workflow.from_cooccurrence(sessions(*LIFE), templates=TEXTS).diagnose(marked).row(0, named=True)


@pytest.mark.parametrize(
    ("keys", "position", "rule", "words"),
    [
        ([1, 2, 4, 5], 2, "unlikely", "After ‘left’ came ‘join’, where ‘right’ should have come: ‘right’ is missing."),
        ([1, 2, 2, 3, 4, 5], 2, "unlikely", "where ‘right’ should have come: it came before already."),
        ([1, 5], 1, "unlikely", "(50 %) should have come: ‘left’, ‘right’ and ‘join’ are missing."),
        ([1, 2], 2, "ended_early", "The session ended after ‘left’; ‘right’ should have come."),
        ([9], 0, "unseen", "At the begin of the session came key 9, which was never seen in training; ‘begin"),
        ([1, 2, 0, 3, 4, 5], 2, "unseen", "Between ‘left’ and ‘right’ came a message that fits no template"),
        ([1, 2, 3, 4, 5], 3, "unlikely", "After ‘right’ came ‘join’, as it should: rare is the way that led there."),
        ([1, 2, 3, 4], 4, "counts", "Every entry came where it may, but not as often as it should: key 5"),
        ([1, 2, 3, 4, 5], 4, "value", "After ‘join’ ‘end’ came where it belongs, with an unusual value: key 5"),
        ([1, 2, 3, 4, 5], 4, "timing", "After ‘join’ ‘end’ came at an unusual time: key 5"),
        ([5, 4, 2, 5, 4, 1], 4, "unlikely", "No task fits these entries; the nearest is task 1"),
    ],
)  # fmt: skip
def test_a_sentence_for_each_case(sessions, keys, position, rule, words):
    """In plain words, with what the keys say; both threads of a fork are expected."""
    assert words in alarm(sessions, keys, position, rule, why="key 5")["sentence"]


def test_where_no_task_fits_there_is_none(sessions):
    """The task is null, and the nearest by edits is told."""
    assert alarm(sessions, [5, 4, 2, 5, 4, 1], 4, "unlikely")["task"] is None
    assert alarm(sessions, [1, 2, 2, 3, 4, 5], 2, "unlikely")["task"] == 1


def test_expected_keys_have_their_probabilities(sessions):
    """Most probable first; the end of the session is told by an empty list."""
    found = alarm(sessions, [1, 4], 1, "unlikely")
    assert sorted(found["expected"]) == [2, 3]
    assert found["probabilities"] == [0.5, 0.5]
    assert alarm(sessions, [1, 2, 3, 4, 5, 4], 5, "unlikely")["expected"] == []


def test_a_message_that_fits_no_template_is_shown_by_its_shape(sessions):
    """What stands in the verdicts' shape column, clipped and on one line."""
    shape = pl.lit("Error from\nlibvirt \x1b[31m" + "x" * 200)
    words = alarm(sessions, [1, 2, 0, 3, 4, 5], 2, "unseen", shape=shape)["sentence"]
    assert "‘Error from\\nlibvirt \\x1b[31mxxx" in words
    assert len(words) < 300


def test_background_is_told_as_such(sessions):
    """An alarm on a key that comes at random places is no step's fault."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions([1, 2, 9, 3, 4, 5])), policy=Policy())
    marked = rows.with_columns(
        unseen=pl.lit(False), unlikely=pl.col("position") == 2, anomalous=pl.col("position") == 2
    )
    train = sessions(*LIFE, [1, 2, 9, 3, 4, 5])
    found = Workflow.from_cooccurrence(train, background=[9]).diagnose(marked).row(0, named=True)
    assert found["sentence"] == "After key 2 came key 9, which belongs to no task: it comes at random places."
    assert (found["task"], found["expected"]) == (1, [3])


def test_a_session_of_a_whole_file_is_looked_at_near_the_alarm(sessions):
    """Thousands of entries before it change nothing."""
    long = LIFE[0] * 3_000 + [1, 2, 4, 5]
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions(long)), policy=Policy())
    at = pl.col("position") == len(long) - 2
    found = Workflow.from_cooccurrence(sessions(*LIFE)).diagnose(rows.with_columns(unlikely=at, anomalous=at))
    assert found["sentence"].to_list() == ["After key 2 came key 4, where key 3 should have come: key 3 is missing."]


def test_verdicts_that_lack_rows_are_refused(sessions):
    """A session without its normal rows cannot be replayed, and is not guessed at."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions([1, 9, 2])), policy=Policy())
    with pytest.raises(InputError, match="has only some of its rows"):
        Workflow.from_cooccurrence(sessions(*LIFE)).diagnose(rows.filter("anomalous"))


def test_verdicts_whose_rows_come_twice_are_refused(sessions):
    """Two frames put together by mistake; the error says that rows come twice, not that some are missing."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions([1, 9, 2])), policy=Policy())
    with pytest.raises(InputError, match="session s0 has rows twice"):
        Workflow.from_cooccurrence(sessions(*LIFE)).diagnose(pl.concat([rows, rows]))


def test_a_workflow_without_tasks_fits_nothing(sessions):
    """The diagnosis says so, instead of a task that is not there."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions([1, 2, 9])), policy=Policy())
    found = Workflow.from_cooccurrence(sessions([1]).clear()).diagnose(rows)
    assert found.select("task", "seen", "sentence").row(0) == (None, 9, "No task fits key 9: the workflow has none.")


def test_lines_in_no_session_are_not_diagnosed(sessions):
    """They have no place in a task."""
    rows = judge(NGram(1).fit(sessions(*LIFE)).rank(sessions([1, 9])), policy=Policy())
    alone = rows.with_columns(session=pl.lit(None, pl.String))
    assert Workflow.from_cooccurrence(sessions(*LIFE)).diagnose(alone).is_empty()


def test_all_four_slowed_machines_are_diagnosed_to_the_slow_step(data):
    """The DeepLog authors' OpenStack log: creating the image was slow, in each of the four."""
    lines = read(data("openstack/raw_normal1_instances.log.gz"))
    templates = Spell().fit(lines)
    train = sessionize(templates.parse(lines), by=MACHINE)
    test = sessionize(templates.parse(read(data("openstack/raw_abnormal_instances.log.gz"))), by=MACHINE)
    wrong = data("openstack/anomaly_labels.txt").read_text("utf-8").split()
    errors = ZScore().fit(train, templates=templates).errors(test)
    verdicts = judge(NGram(1).fit(train).rank(test), errors, policy=Policy(confidence=0.9999))
    found = Workflow.from_cooccurrence(train, templates=templates).diagnose(verdicts)
    own = found.filter(pl.col("session").is_in(wrong), pl.col("slow").is_not_null())
    assert set(own["session"]) == set(wrong)
    assert own["sentence"].str.contains("rom ‘Creating image’ to ‘VM Started (Lifecycle Event)’", literal=True).all()
    assert isinstance(own.row(0, named=True)["elapsed"], float)


def test_waits_are_told_with_their_usual_range(sessions):
    """From the source that came last, of those that join."""

    def timed(frame, last):
        each = pl.Series([0, 1, 2, 3, last] * frame["session"].n_unique())
        return frame.with_columns(time=pl.lit(datetime(2026, 3, 2)) + pl.duration(seconds=each))

    train = timed(sessions(*LIFE), 4)
    rows = judge(NGram(1).fit(train).rank(timed(sessions([1, 2, 3, 4, 5]), 60)), policy=Policy())
    late = rows.with_columns(timing=pl.col("position") == 4, anomalous=pl.col("position") == 4)
    found = Workflow.from_cooccurrence(train, templates=TEXTS).diagnose(late).row(0, named=True)
    assert (found["elapsed"], found["usual"], found["late"], found["slow"]) == (57.0, 1.0, 1.0, [4, 5])
    assert found["sentence"] == "From ‘join’ to ‘end’ took 57 s, usually 1 s, 99 of 100 within 1 s: ‘join’ was slow."


def test_an_unseen_message_is_between_two_steps_only_if_both_came(sessions):
    """The next step is named as what came, or as what should have come."""
    both = alarm(sessions, [1, 2, 0, 3, 4, 5], 2, "unseen")["sentence"]
    assert both.startswith("Between ‘left’ and ‘right’ came a message that fits no template")
    one = alarm(sessions, [1, 2, 0], 2, "unseen")["sentence"]
    assert one.startswith("After ‘left’ came a message that fits no template")
    assert one.endswith("; ‘right’ should have come.")


def test_verdicts_of_other_templates_are_refused(sessions, tmp_path):
    """The same key is another message there; a saved workflow knows its templates too."""
    lines = pl.DataFrame({"message": ["open it", "read it", "close it"] * 40}).with_row_index("line", 1)
    templates = Spell().fit(lines.with_columns(pl.col("line").cast(pl.UInt64)))
    normal = sessions(*[[1, 2, 3]] * 40)
    workflow = Workflow.from_model(normal, NGram(1).fit(normal), templates=templates)
    rows = judge(NGram(1).fit(normal).rank(sessions([1, 3])), policy=Policy(g=1))
    workflow.save(tmp_path / "w.json")
    for each in (workflow, Workflow.load(tmp_path / "w.json")):
        own = each.diagnose(rows.with_columns(model=pl.lit(templates.digest)))
        assert len(own) == len(each.diagnose(rows)) > 0
        with pytest.raises(ModelError, match=r"verdicts are of templates ffffffff, the workflow's are"):
            each.diagnose(rows.with_columns(model=pl.lit("f" * 64)))
