"""Two tiers: what is allowed is exact, what is learnt passes a gate; and both come from LABELS alone."""

from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.case.case import Case
from deeplog_nb.frames import LABELS
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.verdicts.learner import Learner
from deeplog_nb.verdicts.policy import Policy

RUNS = [[1, 2, 3, 4], [1, 2, 3, 3, 4], [5, 2, 6, 4]]
ODD = [[1, 2, 9, 3, 4], [1, 2, 9, 3, 4], [5, 2, 9, 6, 4], [1, 2, 2, 3, 4]]


@pytest.fixture(scope="module")
def learner(sessions):
    normal = sessions(*RUNS, counts=[60] * 3)
    keys = KeyModel(history=3, units=16, training=Training(epochs=8, draws=2048, device="cpu")).fit(normal)
    return Learner(keys, CountModel().fit(normal), Policy(probability=1e-3, ending=1e-3))


def labelled(verdicts, *said: tuple[str, str, int | None]) -> pl.DataFrame:
    """LABELS of ``session, verdict, position``; None: of the whole session."""
    rows = []
    for number, (session, verdict, position) in enumerate(said):
        own = verdicts.filter(pl.col("session") == session)
        alarm = own.filter("anomalous", True if position is None else pl.col("position") == position).row(0, named=True)
        pattern = alarm["session_pattern" if position is None else "pattern"]
        keys = own["key"].drop_nulls().to_list()
        rows.append({"id": number, "session": session, "position": position, "pattern": pattern, "verdict": verdict,
                     "keys": keys, "hash": f"{session} {verdict} {position}"})  # fmt: skip
    return pl.DataFrame(rows, schema={name: LABELS[name] for name in rows[0]})


def flagged(learner, asked):
    return learner.judge(asked).filter("anomalous")["session"].unique().sort().to_list()


def test_a_session_that_is_normal_clears_its_like_and_nothing_else(learner, sessions):
    """The same keys, as often, flagged at the same ones; other sessions with the new key stay alarms."""
    asked = sessions(*ODD)
    update = learner.update(labelled(learner.judge(asked), ("s0", "normal", None)), holdout=sessions(*RUNS))
    assert flagged(learner, asked) == ["s0", "s1", "s2", "s3"]
    assert flagged(update.model, asked) == ["s2", "s3"]
    assert (update.refused, update.count("cleared")) == (None, 1)
    assert update.model.keys is learner.keys


def test_an_alarm_that_was_answered_twice_is_cleared_once(learner, sessions):
    """The same answer again changes nothing."""
    judged = learner.judge(sessions(*ODD))
    update = learner.update(labelled(judged, ("s0", "normal", None), ("s0", "normal", None)))
    assert update.count("cleared") == 1


def test_an_entry_that_is_normal_is_learnt_with_its_new_key(learner, sessions):
    """The key is admitted: known where it was declared, an alarm elsewhere still."""
    asked = sessions([1, 2, 9], [5, 2, 6, 9], open_=True)
    update = learner.update(labelled(learner.judge(asked), ("s0", "normal", 2)))
    assert 9 in update.model.keys.vocabulary.keys
    assert flagged(update.model, asked) == ["s1"]
    unallowed = Learner(update.model.keys, update.model.counts, update.model.policy)
    assert flagged(unallowed, asked) == ["s1"]


def test_a_pattern_of_a_confirmed_anomaly_is_not_allowed(learner, sessions):
    """Two answers contradict each other: the alarm stays, and the update says why."""
    judged = learner.judge(sessions(*ODD))
    update = learner.update(labelled(judged, ("s0", "normal", None), ("s1", "anomaly", None)))
    assert update.model.allowed == ()
    assert update.refused == (
        "1 of 1 pattern is one of confirmed anomalies too: normal by label 0 (session s0), an anomaly by label 1 "
        "(session s1)"
    )
    assert flagged(update.model, sessions(*ODD)) == ["s0", "s1", "s2", "s3"]


def test_a_pattern_that_would_leave_a_canary_without_alarm_is_not_allowed(learner, sessions):
    """The canary was never labelled on that entry, but it is the only one that is odd in it."""
    asked, wrong = sessions([1, 2, 9], open_=True), sessions([1, 2, 9], open_=True)
    update = learner.update(labelled(learner.judge(asked), ("s0", "normal", 2)), canaries=wrong)
    assert flagged(update.model, wrong) == ["s0"]
    assert update.refused.endswith("too: normal by label 0 (session s0, position 2), an anomaly by s0")
    assert update.model.allowed == ()
    assert update.model.keys is learner.keys


def test_of_many_labels_in_the_way_the_first_are_named(learner, sessions):
    """Three on either side, and how many more; a name out of the log steers no reader."""
    judged = learner.judge(sessions(*ODD))
    said = labelled(judged, *[("s0", "normal", None)] * 5, *[("s1", "anomaly", None)] * 4)
    hostile = said.with_columns(session=pl.lit("\x1b[31m\u202e\n" + "x" * 100))
    refused = learner.update(hostile).refused
    assert refused.count("label") == 6
    assert "and 2 more, an anomaly by label 5 (session \\x1b[31m\\u202e\\nxx" in refused
    assert refused.endswith("xxx…) and 1 more")


@pytest.mark.parametrize("verdict", ["normal", "anomaly"])
def test_a_session_too_long_to_keep_is_learnt_by_its_counts(learner, sessions, tmp_path, verdict):
    """Its label has the last keys alone; its pattern counts all, for what is learnt and for what must not be."""
    usual, odd = [1, 2, *[3] * 10_001, 4], [1, 2, 2, *[3] * 10_001, 4]
    case, judged = Case(tmp_path), learner.judge(sessions(odd, [*odd[:5], 9, *odd[5:]]))
    label = case.mark(judged, verdict, session="s0")
    case.mark(judged, "normal", session="s1")
    assert label["keys"].list.len().item() == 1000
    update = learner.update(case.labels())
    assert update.model.counts.check(sessions(usual, odd))["flagged"].to_list() == [False, verdict == "anomaly"]
    assert (verdict == "anomaly") == ("pass the counts of label 1 (session s0)" in str(update.refused))


def test_counts_that_are_normal_at_one_sessions_end_stay_odd_elsewhere(learner, sessions):
    """The alarm of the end is about these counts and no others."""
    asked = sessions([1, 2, 3, 4, 4], [1, 2, 2, 3, 4], [5, 2, 6, 4, 4])
    said = labelled(learner.judge(asked), ("s0", "normal", 5))
    told = learner.allowing(said).model.judge(asked).filter("counts")
    assert told.select("session", "allowed").rows() == [("s0", True), ("s1", False), ("s2", False)]
    assert '"counts":[[1,1],[2,1],[3,1],[4,2]]' in said["pattern"][0]


def test_a_model_that_may_not_learn_does_not_keep_the_other_from_it(learner, sessions):
    """Held-out normal sessions would be flagged by the new key model, not by the new counts."""
    held = sessions([1, 2, 3, 4], [1, 2, 3, 3, 4])
    judged = learner.judge(sessions(*ODD, [1, 2, 3, 3, 3, 3, 4, 4]))
    said = labelled(judged, ("s3", "normal", None))
    update = learner.update(said, holdout=held)
    assert update.model.counts.check(sessions(ODD[3]))["flagged"].to_list() == [False]
    assert learner.counts.check(sessions(ODD[3]))["flagged"].to_list() == [True]


def test_taking_an_answer_back_takes_its_pattern_back(learner, sessions):
    """Patterns are those of the labels in effect, and no others."""
    asked = sessions(*ODD)
    said = labelled(learner.judge(asked), ("s0", "normal", None), ("s2", "normal", None))
    both = learner.update(said).model
    assert flagged(both, asked) == ["s3"]
    assert flagged(both.update(said.head(1)).model, asked) == ["s2", "s3"]


def test_the_old_learner_is_not_touched(learner, sessions):
    """Whatever is learnt, what was there judges as before."""
    asked = sessions(*ODD)
    before = learner.judge(asked)
    learner.update(labelled(before, ("s0", "normal", 2)))
    assert learner.judge(asked).equals(before)


def test_what_a_model_learns_leaves_the_answer_in_effect(learner, sessions):
    """A session is flagged at its end and by its counts: with the counts learnt, the end alone is allowed as before."""
    asked = sessions([1, 2, 3])
    judged = learner.judge(asked)
    assert judged.filter("anomalous")["pattern"].to_list() == [
        '{"counts":[[1,1],[2,1],[3,1]]}\n{"history":[1,2,3],"key":null}'
    ]
    for position in (None, 3):
        update = learner.update(labelled(judged, ("s0", "normal", position)))
        assert update.model.counts is not learner.counts
        assert flagged(update.model, asked) == []


def test_a_model_that_would_flag_what_was_said_to_be_normal_may_not_learn(learner, sessions, monkeypatch):
    """The lesson is refused, and the label named."""
    judged = learner.judge(sessions(*ODD))
    labels = labelled(judged, ("s0", "normal", None), ("s2", "normal", 2))
    afraid = KeyModel(history=3, units=16, training=Training(epochs=1, draws=64)).fit(sessions([7, 8], counts=[9]))
    monkeypatch.setattr("deeplog_nb.verdicts.learner.taught", lambda *_, **__: afraid)
    update = learner.update(labels)
    assert update.model.keys is learner.keys
    assert update.refused == "key model: it would flag what label 0 (session s0) says is normal"
