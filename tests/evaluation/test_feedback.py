"""The curve over labels: answers are truthful, most frequent first, and exact."""

from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.evaluation.feedback import feedback
from deeplog_nb.frames import InputError
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.verdicts.learner import Learner
from deeplog_nb.verdicts.policy import Policy

RUNS = [[1, 2, 3, 4], [1, 2, 3, 3, 4], [5, 2, 6, 4]]
TEST = [[1, 2, 3, 4], [1, 9, 3, 4], [5, 9, 6, 4], [5, 8, 6, 4]]  # three patterns: 50, 30 and 20 sessions


@pytest.fixture(scope="module")
def learner(sessions):
    keys = KeyModel(history=3, units=16, training=Training(epochs=8, draws=2048, device="cpu"))
    return Learner(keys.fit(sessions(*RUNS, counts=[60] * 3)), None, Policy(probability=1e-3))


def truth(*wrong: str) -> pl.DataFrame:
    return pl.DataFrame({"session": [f"s{n}" for n in range(4)]}).with_columns(anomalous=pl.col("session").is_in(wrong))


def test_the_most_frequent_pattern_is_answered_first(learner, sessions):
    """Fifty false alarms go with the first answer, the confirmed anomaly stays, twenty go with the third."""
    found = feedback(learner, sessions(*TEST, counts=[90, 50, 30, 20]), truth("s2"), normal=sessions(*RUNS))
    assert found.curve["fp"].to_list() == [70, 20, 20, 0, 0]
    assert found.curve["fn"].to_list() == [0] * 5
    assert found.labels["verdict"].to_list() == ["normal", "anomaly", "normal"]


def test_sessions_that_nobody_was_asked_about_are_counted_by_themselves(learner, sessions):
    """After one answer the others are judged as before."""
    found = feedback(learner, sessions(*TEST, counts=[90, 50, 30, 20]), truth("s2"), normal=sessions(*RUNS), most=1)
    assert found.curve.row(1, named=True)["others_before"] == pytest.approx(60 / 80)
    assert found.curve["others"].to_list() == pytest.approx([60 / 130, 60 / 80, 60 / 80])


def test_a_mixed_pattern_is_called_what_most_of_it_is(learner, sessions):
    """Of a pattern with one normal session in a thousand, the answer is anomaly; the other way round, normal."""
    mixed = sessions([1, 9, 3, 4], [1, 9, 3, 4], counts=[999, 1])
    answers = [
        feedback(learner, mixed, truth(wrong).head(2), normal=sessions(*RUNS)).labels["verdict"].item()
        for wrong in ("s0", "s1")
    ]
    assert answers == ["anomaly", "normal"]


def test_no_answers_are_no_experiment(learner, sessions):
    """At least one pattern must be answered."""
    with pytest.raises(InputError, match="at least one"):
        feedback(learner, sessions(*TEST), truth(), normal=sessions(*RUNS), most=0)
