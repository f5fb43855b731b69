"""Metrics and their units."""

import math

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy

POLICY = Policy(g=1)


@pytest.fixture
def verdicts(ranks):
    """Sessions a and b are alike and normal, c is found, d is missed, e is a false alarm on an unseen key."""
    return judge(
        ranks(
            ("a", 1, 1, 0.9), ("a", 2, 1, 0.9), ("b", 1, 1, 0.9), ("b", 2, 1, 0.9), ("c", 1, 1, 0.9), ("c", 3, 2, 0.1),
            ("d", 2, 1, 0.9), ("e", 1, 1, 0.9), ("e", 9, None, 0.0),
        ),
        policy=POLICY,
    )  # fmt: skip


TRUTH = pl.DataFrame({"session": list("abcde"), "anomalous": [False, False, True, True, False]})


def counts(metrics, unit):
    return metrics.filter(unit=unit).select("tp", "fp", "fn", "tn").row(0)


def test_each_unit_counts_what_it_says(verdicts):
    """Sessions, distinct key sequences, longer than h, and longer without an unseen key."""
    metrics = evaluate(verdicts, TRUTH, history=1)
    assert counts(metrics, "session") == (1, 1, 1, 2)
    assert counts(metrics, "distinct") == (1, 1, 1, 1)
    assert counts(metrics, "longer") == (1, 1, 0, 2)
    assert counts(metrics, "hard") == (1, 0, 0, 2)


def test_scores_follow_from_the_counts(verdicts):
    """Precision, recall, F1, specificity and alarms per million, from (1, 1, 1, 2)."""
    row = evaluate(verdicts, TRUTH).row(0, named=True)
    assert (row["precision"], row["recall"], row["f1"]) == (0.5, 0.5, 0.5)
    assert row["specificity"] == pytest.approx(2 / 3)
    assert row["alarms_per_million"] == 400_000


def test_what_cannot_be_computed_is_not_a_number(verdicts):
    """Without any anomaly there is no recall, and no 1.0 either."""
    calm = TRUTH.with_columns(anomalous=pl.lit(False))
    assert math.isnan(evaluate(verdicts, calm)["recall"][0])


def test_a_session_counts_as_often_as_it_occurred(ranks):
    """A count of three is three sessions, but one distinct one."""
    metrics = evaluate(judge(ranks(("c", 3, 2, 0.1), count=3), policy=POLICY), TRUTH)
    assert counts(metrics, "session") == (3, 0, 0, 0)
    assert counts(metrics, "distinct") == (1, 0, 0, 0)


def test_entries_are_counted_by_line_without_end_rows(ranks):
    """A line that is in two sessions is one entry; an end row is none."""
    ranked = ranks(("a", 1, 1, 0.9), ("b", 1, 2, 0.1), ("b", None, 1, 0.9)).with_columns(
        file=pl.lit("x.log").cast(pl.Categorical), line=pl.lit(4).cast(pl.UInt64)
    )
    truth = pl.DataFrame({"line": [4], "anomalous": [True]}).with_columns(
        file=pl.lit("x.log").cast(pl.Categorical), line=pl.col("line").cast(pl.UInt64)
    )
    assert counts(evaluate(judge(ranked, policy=POLICY), truth), "entry") == (1, 0, 0, 0)


def test_a_session_without_truth_is_an_error(verdicts):
    """Nobody is silently counted as normal."""
    with pytest.raises(InputError, match="nothing about 2 of the 5"):
        evaluate(verdicts, TRUTH.head(3))


def test_each_row_names_its_method_and_setting(verdicts):
    """Tables of several methods can be stacked."""
    metrics = evaluate(verdicts, TRUTH, method="deeplog", setting="paper")
    assert metrics["method"].unique().to_list() == ["deeplog"]
    assert metrics["setting"].unique().to_list() == ["paper"]


def test_truth_about_lines_that_were_not_judged_is_an_error(ranks):
    """A file under another name would silently count as nothing found and nothing missed."""
    ranked = ranks(("a", 1, 2, 0.1)).with_columns(
        file=pl.lit("/var/x.log").cast(pl.Categorical), line=pl.lit(1, pl.UInt64)
    )
    truth = pl.DataFrame(
        {"file": ["x.log"], "line": [1], "anomalous": [True]},
        schema_overrides={"file": pl.Categorical(), "line": pl.UInt64()},
    )
    with pytest.raises(InputError, match="1 anomalous lines of the truth are none of the judged"):
        evaluate(judge(ranked, policy=POLICY), truth)


def test_a_contradiction_in_the_truth_is_an_error(verdicts):
    """A session cannot be normal and anomalous."""
    with pytest.raises(InputError, match="contradicts itself: 1 sessions"):
        evaluate(verdicts, pl.concat([TRUTH, TRUTH.head(1).with_columns(anomalous=pl.lit(True))]))
