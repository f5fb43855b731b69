"""What sessions count as, and how sure a score is."""

import math

import polars as pl
import pytest

from deeplog_nb.baselines.rules import UnseenKey
from deeplog_nb.frames import FrameError, InputError
from deeplog_nb.verdicts.bootstrap import f1_interval
from deeplog_nb.verdicts.curve import LABEL, score_curve
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.units import session_units


def test_sessions_are_alike_longer_hard_and_recurring(sessions):
    """Each as its name says, key 0 being one that training cannot have."""
    found = session_units(sessions([1, 2], [1, 2], [2, 1, 1], [1, 9, 1], [0, 1, 1]), sessions([1, 2], [2]), history=2)
    assert found["sequence"].n_unique() == 4
    assert found["longer"].to_list() == [False, False, True, True, True]
    assert found["hard"].to_list() == [False, False, True, False, False]
    assert found["recurring"].to_list() == [True, True, False, False, False]


def test_whole_sessions_are_counted_in_every_unit(sessions):
    """Verdicts without keys get their units from the sessions, and what recurs is a column."""
    train, test = sessions([1, 2]), sessions([1, 2], [1, 2, 1], [1, 9], counts=[8, 1, 2])
    truth = pl.DataFrame({"session": ["s0", "s1", "s2"], "anomalous": [False, True, True]})
    found = evaluate(UnseenKey().fit(train).judge(test), truth, units=session_units(test, train, history=2))
    assert found.select("unit", "tp", "fp", "fn", "tn").rows() == [
        ("session", 2, 0, 1, 8), ("distinct", 1, 0, 1, 1), ("longer", 0, 0, 1, 0), ("hard", 0, 0, 1, 0),
    ]  # fmt: skip
    assert found["recurring"].to_list() == pytest.approx([8 / 11, 1 / 3, 0, 0])


def test_without_the_training_part_nobody_says_what_recurs(ranks):
    """Null, not zero."""
    from deeplog_nb.verdicts.judge import judge
    from deeplog_nb.verdicts.policy import Policy

    truth = pl.DataFrame({"session": ["a"], "anomalous": [True]})
    assert evaluate(judge(ranks(("a", 1, 1, 0.9)), policy=Policy()), truth)["recurring"].null_count() == 4


def test_repeats_make_no_interval_narrower():
    """A thousand copies of two sequences are as uncertain as the two."""
    once = pl.DataFrame({"sequence": [0, 1], "tp": [1, 0], "fp": [0, 0], "fn": [0, 1]})
    often = once.with_columns(pl.col("tp", "fn") * 1000)
    assert f1_interval(once) == f1_interval(often)
    assert f1_interval(once) == (0.0, 1.0)


def test_many_sequences_make_it_narrower():
    """The interval of 2,000 sequences at F1 = 0.9 holds 0.9 and is about 0.02 wide."""
    many = pl.DataFrame({"sequence": range(2000), "tp": [1] * 1637 + [0] * 363, "fp": [0] * 1637 + [1] * 363, "fn": 0})
    low, high = f1_interval(many)
    assert low < 0.9 < high
    assert 0.01 < high - low < 0.03


def test_where_there_is_no_f1_there_is_no_interval():
    """Nothing found and nothing to find."""
    nothing = pl.DataFrame({"sequence": [0], "tp": [0], "fp": [0], "fn": [0]})
    assert all(math.isnan(bound) for bound in f1_interval(nothing))


def test_a_curve_says_in_every_row_that_it_was_chosen_on_test(sessions):
    """All bounds with their F1; the best row is no result."""
    train, test = sessions([1, 2]), sessions([1, 2], [8, 9], [1, 9])
    truth = pl.DataFrame({"session": ["s0", "s1", "s2"], "anomalous": [False, True, False]})
    curve = score_curve(UnseenKey().fit(train).judge(test), truth)
    assert curve.select("bound", "tp", "fp", "fn").rows() == [(2, 1, 0, 0), (1, 1, 1, 0), (0, 1, 2, 0)]
    assert curve["label"].unique().to_list() == [LABEL] == ["chosen on test"]


def test_a_curve_needs_the_truth_of_every_session(sessions):
    """Nobody is silently normal, and other frames are refused."""
    verdicts = UnseenKey().fit(sessions([1])).judge(sessions([1], [2]))
    with pytest.raises(InputError, match="nothing about 1 of the 2"):
        score_curve(verdicts, pl.DataFrame({"session": ["s0"], "anomalous": [True]}))
    with pytest.raises(FrameError):
        score_curve(verdicts.drop("score"), pl.DataFrame({"session": ["s0"], "anomalous": [True]}))
