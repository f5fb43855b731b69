"""The n-gram model, against the paper's formula and a naive count."""

from collections import Counter

import numpy as np
import polars as pl
import pytest

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.ngram import NGram


def test_the_probability_is_count_of_both_over_count_of_the_first(sessions):
    """method.md 2: Pr(m_t | last N) = count(window + key) / count(window); here 22 5 11 9 11 26."""
    example = sessions([22, 5, 11, 9, 11, 26])
    ranks = NGram(1, start=False, end=False).fit(example).rank(example)
    assert ranks["probability"].to_list() == [None, 1.0, 1.0, 0.5, 1.0, 0.5, None]


def test_with_three_keys_the_windows_are_those_of_the_paper(sessions):
    """(22 5 11) -> 9, (5 11 9) -> 11, (11 9 11) -> 26, each certain; any other key ranks last."""
    model = NGram(3, start=False, end=False).fit(sessions([22, 5, 11, 9, 11, 26]))
    assert model.rank(sessions([22, 5, 11, 9, 11, 26]))["probability"].to_list()[3:6] == [1.0, 1.0, 1.0]
    odd = model.rank(sessions([22, 5, 11, 26])).row(3, named=True)
    assert (odd["probability"], odd["rank"]) == (0.0, 5)


@pytest.mark.parametrize("n", [1, 2])
def test_ranks_are_those_of_a_naive_count(sessions, n):
    """The oracle: a Counter of tuples."""
    train = [[1, 2, 3, 1, 2], [2, 3, 3, 1], [1, 3, 2, 2]]
    seen = Counter(tuple(keys[at - n : at + 1]) for keys in train for at in range(n, len(keys)))
    ranks = NGram(n, start=False, end=False).fit(sessions(*train)).rank(sessions(*train))
    for number, keys in enumerate(train):
        rows = ranks.filter(pl.col("session") == f"s{number}")
        for at in range(n, len(keys)):
            *before, key = keys[at - n : at + 1]
            total = sum(seen[(*before, other)] for other in (1, 2, 3))
            better = sum(seen[(*before, other)] > seen[(*before, key)] for other in (1, 2, 3))
            assert rows["rank"][at] == better + 1
            assert rows["probability"][at] == pytest.approx(seen[(*before, key)] / total)


def test_an_unseen_key_has_no_rank(sessions):
    """As with the key model: null and probability 0."""
    ranks = NGram().fit(sessions([1, 2])).rank(sessions([1, 9]))
    assert ranks.row(1, named=True)["rank"] is None
    assert ranks.row(1, named=True)["probability"] == 0


def test_nonsense_is_refused(sessions):
    """No history is no n-gram, and an unfitted one ranks nothing."""
    with pytest.raises(InputError, match="at least 1"):
        NGram(0)
    with pytest.raises(ModelError, match="call fit"):
        NGram().rank(sessions([1]))


def test_what_is_expected_is_what_followed_most_often(sessions):
    """Keys with their shares, the end as null; of a history that never came nothing is expected."""
    model = NGram(1).fit(sessions([1, 2, 3], [1, 2, 4], [1, 2, 3], [1]))
    assert model.expect([9, 1]).rows() == [(2, 0.75), (None, 0.25)]
    assert [key for key, _ in model.expect([1, 2], most=1).rows()] == [3]
    assert model.expect([7, 7]).is_empty()


def test_a_shorter_model_counts_as_one_more_occurrence(sessions):
    """What was seen but a few times is not certain, and what never was is what the shorter one says."""
    one = sessions(*[[1, 2, 3], [4, 2, 5]] * 4)
    short, long = NGram(1).fit(one), NGram(2).fit(one)
    histories = np.array([long.vocabulary.codes(np.array(keys)) for keys in ([1, 2], [3, 2])])
    told = long.chances(histories, shorter=short.chances(histories[:, -1:]))
    assert told[:, long.vocabulary.keys.index(3)].tolist() == pytest.approx([0.9, 0.5])  # (4 + 1/2) / 5; 1/2
