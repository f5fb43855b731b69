"""The trivial rules: what a table must show beside any model."""

import polars as pl
import pytest

from deeplog_nb.baselines.rules import Bigrams, SessionLength, UnseenKey


def flagged(model, sessions):
    return model.judge(sessions)["anomalous"].to_list()


def test_an_unseen_key_is_one_that_no_training_session_has(sessions):
    """Key 9 is new, key 0 fits no template; a known key in a new order is not unseen."""
    model = UnseenKey().fit(sessions([1, 2, 3]))
    assert flagged(model, sessions([3, 2, 1], [1, 9], [1, 0])) == [False, True, True]


def test_a_length_beyond_those_of_training_is_named_short(sessions):
    """Two to three keys are normal; fewer and more are not, and the score is by how many."""
    verdicts = SessionLength().fit(sessions([1, 2], [1, 2, 3])).judge(sessions([1], [5, 5], [1, 2, 3, 4, 5]))
    assert verdicts["short"].to_list() == [True, False, True]
    assert verdicts["score"].to_list() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("odd", [[1, 3], [2, 1, 2, 3], [1, 2], [1, 2, 9, 3]])
def test_a_new_pair_is_found_at_the_start_in_the_middle_and_at_the_end(sessions, odd):
    """Pairs of (start, 1, 2, 3, end) are known, all others are not."""
    model = Bigrams().fit(sessions([1, 2, 3]))
    assert flagged(model, sessions([1, 2, 3], odd)) == [False, True]


def test_pairs_are_those_that_a_loop_finds(sessions):
    """The oracle: neighbours of each padded sequence, one by one."""
    train, test = [[1, 2, 1, 3], [2, 2]], [[1, 2, 2], [3, 1, 2, 1, 3], [2, 2, 2], [1]]
    known = {pair for keys in train for pair in zip(["^", *keys], [*keys, "$"], strict=True)}
    expected = [any(pair not in known for pair in zip(["^", *keys], [*keys, "$"], strict=True)) for keys in test]
    assert flagged(Bigrams().fit(sessions(*train)), sessions(*test)) == expected


def test_whole_sessions_have_one_row_without_a_position(sessions):
    """The contract of detectors of whole sessions: a row each, position and key null, the count kept."""
    verdicts = UnseenKey().fit(sessions([1])).judge(sessions([1, 1], [2], counts=[3, 1]))
    assert verdicts["position"].null_count() == verdicts["key"].null_count() == len(verdicts) == 2
    assert verdicts["count"].to_list() == [3, 1]
    assert verdicts.filter(pl.col("anomalous"))["why"].to_list() == ["unseen: unseen keys 1, bound 0"]
