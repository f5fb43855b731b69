"""Ranks of training sessions by models that were not trained on them."""

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.models.folds import parts, rank_left_out
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training

FAST = Training(epochs=4, draws=256, device="cpu")


def test_only_sequences_that_occur_once_are_left_out(sessions):
    """A twin in training, or a count over one, is no novelty."""
    train = sessions([1], [1], [2], [3], [4], counts=[1, 1, 2, 1, 1])
    assert parts(train, 2)["fold"].to_list() == [None, None, None, 0, 1]


def test_a_session_is_ranked_by_a_model_that_does_not_know_it(sessions):
    """The only session with key 5 is left out: there, key 5 is unseen; its twinned neighbours are not."""
    train = sessions(*[[1, 2, 3]] * 9, [1, 5, 3])
    model = KeyModel(history=2, units=8, layers=1, training=FAST).fit(train)
    ranks = rank_left_out(model, train, folds=2)
    assert ranks.filter(pl.col("rank").is_null())["key"].to_list() == [5]
    assert sorted(ranks["session"].unique()) == sorted(train["session"].unique())


def test_one_fold_is_no_fold(sessions):
    """Something must be left to train on."""
    with pytest.raises(InputError, match="at least 2"):
        rank_left_out(KeyModel(), sessions([1]), folds=1)
