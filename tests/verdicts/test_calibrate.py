"""Bounds from held-out normal sessions."""

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.verdicts.calibrate import calibrate
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge


def many(ranks, probabilities, ends=None):
    rows = []
    for number, probability in enumerate(probabilities):
        rows += [(f"s{number}", 1, 2, probability), (f"s{number}", None, 1, (ends or [0.9] * 10**4)[number])]
    return ranks(*rows)


def test_where_there_are_enough_sessions_the_rate_is_kept(ranks):
    """Of 1,000 held-out sessions and a rate of 1 %, ten at the most lie under the bound, and nearly ten."""
    held = many(ranks, [(number + 1) / 2000 for number in range(1000)])
    verdicts = judge(held, policy=calibrate(held, rate=0.01))
    assert verdicts.filter("unlikely").height in (9, 10)


def test_with_few_sessions_the_bound_lies_in_proportion_below_the_worst_tenth(ranks):
    """100 sessions, the worst ten at 0.02: a rate of 1/1,000 is a hundredth of theirs."""
    held = many(ranks, [0.02] * 10 + [0.5] * 90)
    assert calibrate(held, rate=0.001).probability == pytest.approx(0.02 * 0.1 / 10, rel=1e-5)


def test_one_stray_session_does_not_move_the_bound(ranks):
    """Of a few sessions one may be a novelty; two are more than chance at this rate explains."""
    clean, one, two = (many(ranks, [1e-9] * strays + [0.02] * 20 + [0.5] * 60) for strays in (0, 1, 2))
    bounds = [calibrate(held, rate=0.001).probability for held in (clean, one, two)]
    assert bounds[1] == pytest.approx(bounds[0], rel=0.2)
    assert bounds[2] <= 1e-9


def test_endings_are_calibrated_apart_from_keys(ranks):
    """Improbable ends do not loosen the bound on keys, nor the other way round."""
    held = many(ranks, [0.5] * 100, ends=[0.001] * 10 + [0.9] * 90)
    policy = calibrate(held, rate=0.001)
    assert policy.probability == pytest.approx(0.5 * 0.1 / 10, rel=1e-5)
    assert policy.ending == pytest.approx(0.001 * 0.1 / 10, rel=1e-5)


def test_open_sessions_say_nothing_about_endings(ranks):
    """A session that the log cut off is no example of how sessions end."""
    assert calibrate(ranks(("a", 1, 1, 0.5), ("a", None, 1, 1e-9), open_=True)).ending is None


def test_a_session_stands_for_as_many_as_its_count(ranks):
    """A hundred copies weigh like a hundred sessions."""
    one = ranks(("a", 1, 1, 0.5), count=1000)
    assert calibrate(one, rate=0.01).probability == pytest.approx(0.5 * 10 / 1000)


def test_the_policy_says_where_it_comes_from(ranks):
    """Rate, number of held-out sessions, and how many of them would be flagged."""
    assert (
        calibrate(many(ranks, [0.5] * 9), rate=0.01).source
        == "held-out normal: rate 0.01, 0 of 9 sessions below the bound"
    )


def test_permuted_test_labels_change_no_bound(ranks):
    """Calibration takes no labels; whatever the truth says, bounds and verdicts are the same."""
    held = many(ranks, [0.02] * 10 + [0.5] * 90)
    policy = calibrate(held)
    for labels in ([True] * 50 + [False] * 50, [False] * 50 + [True] * 50):
        truth = pl.DataFrame({"session": [f"s{n}" for n in range(100)], "anomalous": labels})
        evaluate(judge(held, policy=policy), truth)
        assert calibrate(held) == policy


def test_nothing_held_out_is_an_error(ranks):
    """There is no bound without a held-out session."""
    with pytest.raises(InputError, match="no held-out session"):
        calibrate(ranks(("a", 1, 1, 0.5)).clear())


@pytest.mark.parametrize("rate", [0, 1, -0.1, 2])
def test_a_rate_that_is_no_share_is_refused(ranks, rate):
    """The rate lies between 0 and 1."""
    with pytest.raises(InputError, match="rate"):
        calibrate(ranks(("a", 1, 1, 0.5)), rate=rate)


def test_the_bound_does_not_jump_where_the_sessions_become_many(ranks):
    """499 held-out sessions and 500 give nearly the same bound at a rate of 1/500."""
    bounds = [calibrate(many(ranks, [0.9] * n, ends=[0.9] * n), rate=0.002).ending for n in (499, 500)]
    assert bounds[0] == pytest.approx(bounds[1], rel=0.01)


@pytest.mark.parametrize(("sessions", "rate"), [(1, 0.02), (1, 0.1), (2, 0.4), (3, 0.3)])
def test_a_handful_of_sessions_gives_a_bound(ranks, sessions, rate):
    """However few are held out, there is a bound, and none of them lies far below it."""
    assert 0 < calibrate(many(ranks, [0.5] * sessions), rate=rate).probability <= 0.5


def test_a_higher_rate_never_lowers_a_bound(ranks):
    """From one in ten thousand to one in three, where less than one session is expected and where many are."""
    held = many(
        ranks, [10.0 ** -(10 - number % 10) for number in range(200)], ends=[0.001 * n + 1e-4 for n in range(200)]
    )
    policies = [calibrate(held, rate=10 ** -(4 - step / 10)) for step in range(35)]
    for name in ("probability", "ending"):
        bounds = [getattr(policy, name) for policy in policies]
        assert bounds == sorted(bounds)
