"""The rules, one by one."""

import polars as pl
import pytest

from deeplog_nb.frames import FrameError, InputError
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy


def fired(verdicts, rule):
    return verdicts[rule].to_list()


def test_a_rank_over_g_is_unlikely(ranks):
    """The paper's rule: normal if among the g most probable."""
    verdicts = judge(ranks(("a", 1, 9, 0.01), ("a", 2, 10, 0.01)), policy=Policy(g=9))
    assert fired(verdicts, "unlikely") == [False, True]


def test_a_probability_under_the_bound_is_unlikely(ranks):
    """The bound itself is still normal."""
    verdicts = judge(ranks(("a", 1, 2, 0.25), ("a", 2, 2, 0.125)), policy=Policy(probability=0.25))
    assert fired(verdicts, "unlikely") == [False, True]


def test_unseen_is_an_anomaly_whatever_the_policy(ranks):
    """A key without a rank and with probability 0 needs no bound to be reported."""
    verdicts = judge(ranks(("a", 7, None, 0.0)), policy=Policy())
    assert fired(verdicts, "unseen") == [True]
    assert verdicts["score"].to_list() == [40.0]


def test_an_entry_that_was_not_judged_is_no_anomaly(ranks):
    """Without a window (rank and probability null) no rule fires."""
    verdicts = judge(
        ranks(("a", 7, None, None), ("a", None, None, None)), policy=Policy(g=1, probability=0.5, ending=0.5)
    )
    assert verdicts["anomalous"].to_list() == [False, False]


def test_an_improbable_end_is_an_early_one_unless_the_log_ended_first(ranks):
    """Ended early is judged on the end row of closed sessions only, never by rank."""
    rows = (("a", 1, 1, 0.9), ("a", None, 30, 0.001))
    policy = Policy(g=2, ending=0.01)
    assert fired(judge(ranks(*rows), policy=policy), "ended_early") == [False, True]
    assert fired(judge(ranks(*rows, open_=True), policy=policy), "anomalous") == [False, False]


def test_the_short_rule_is_named_and_only_where_asked_for(ranks):
    """Two keys are short where more than two are wanted; nobody is short by default."""
    rows = ranks(("a", 1, 1, 0.9), ("a", 1, 1, 0.9), ("a", None, 1, 0.9))
    assert fired(judge(rows, policy=Policy(longer_than=2)), "short") == [False, False, True]
    assert fired(judge(rows, policy=Policy()), "short") == [False, False, False]


def test_every_alarm_says_its_rule_and_its_numbers(ranks):
    """The reason names evidence and bound; what is normal has no reason."""
    verdicts = judge(ranks(("a", 1, 1, 0.9), ("a", 2, 12, 0.00012)), policy=Policy(g=9, probability=0.001))
    assert verdicts["why"].to_list() == ["", "unlikely: probability 0.00012, bound 0.001, rank 12, g 9"]


def test_anomalous_is_any_of_the_rules(ranks):
    """The sum is derived from its parts."""
    verdicts = judge(ranks(("a", 7, None, 0.0), ("a", 1, 1, 0.9)), policy=Policy(g=9))
    assert verdicts["anomalous"].to_list() == (verdicts["unseen"] | verdicts["unlikely"]).to_list()


def test_a_frame_that_is_no_ranks_is_refused(ranks):
    """All missing columns are named."""
    with pytest.raises(FrameError, match=r"rank .*probability"):
        judge(ranks(("a", 1, 1, 0.9)).drop("rank", "probability"), policy=Policy(g=9))


@pytest.mark.parametrize("wrong", [{"g": 0}, {"probability": 1.5}, {"ending": -0.1}])
def test_a_policy_that_cannot_be_is_refused(wrong):
    """Bounds lie between 0 and 1, and g counts from 1."""
    with pytest.raises(InputError):
        Policy(**wrong)


def test_impossible_counts_are_an_alarm_on_the_end_row_of_a_closed_session(ranks):
    """The check's reason is said, its score is at least three; a session that may go on has no final counts."""
    counted = pl.DataFrame({"session": ["a"], "flagged": [True], "reason": ["key 1 occurs 2 times"]})
    rows = ("a", 1, 1, 0.9), ("a", None, 1, 0.9)
    closed, open_ = (judge(ranks(*rows, open_=each), policy=Policy(), counts=counted) for each in (False, True))
    assert closed["counts"].to_list() == [False, True]
    assert closed.row(1, named=True)["why"] == "counts: key 1 occurs 2 times"
    assert closed.row(1, named=True)["score"] == 3.0
    assert not open_["anomalous"].any()
