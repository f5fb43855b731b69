"""What learns from an answer: the old one stays as it was, and each learns what it says it learns."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.evaluation import adaptive
from deeplog_nb.evaluation.adaptive import Adaptive, Answered, KnownKeys, Pairs, Ranked, Taught
from deeplog_nb.frames import SESSIONS
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.ngram import NGram
from deeplog_nb.models.training import Training

TRAIN = [1, 2, 3] * 20
KEYS = st.lists(st.integers(1, 5), min_size=2, max_size=40)


def as_session(keys: list[int]) -> pl.DataFrame:
    rows = [("log", at, key, 1, True) for at, key in enumerate(keys)]
    return pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")


@pytest.fixture(scope="module")
def model() -> KeyModel:
    """H = 2, trained on 1 2 3 1 2 3 …"""
    training = Training(epochs=3, draws=256, device="cpu")
    return KeyModel(history=2, layers=1, units=8, start=False, end=False, training=training).fit(as_session(TRAIN))


def all_of(model: KeyModel) -> dict[str, Adaptive]:
    return {
        "known keys": KnownKeys.fit(as_session(TRAIN)),
        "pairs": Pairs.fit(as_session(TRAIN), g=1),
        "answered": Answered(Ranked(model, 1)),
        "taught": Taught(Ranked(model, 1)),
    }


def says(method: Adaptive, *patterns: list[int]) -> list[bool]:
    """Whether each pattern (the history, then the key) is anomalous."""
    rows = np.array(patterns, np.int64)
    return method.judge(rows[:, :-1], rows[:, -1]).tolist()


def told(method: Adaptive, *pattern: int) -> Adaptive:
    rows = np.array([pattern], np.int64)
    return method.learn(rows[:, :-1], rows[:, -1])


@pytest.mark.parametrize("name", ["known keys", "pairs", "answered", "taught"])
def test_a_new_key_is_odd_until_it_is_learnt(model: KeyModel, name: str) -> None:
    """What was learnt is normal, and the method that learnt it is still the one that it was."""
    before = all_of(model)[name]
    after = told(before, 2, 3, 7)
    assert says(before, [2, 3, 7], [2, 3, 1]) == [True, False]
    if name in ("known keys", "answered"):  # the others rank it behind 1, which came more often
        assert says(after, [2, 3, 7]) == [False]
    assert says(told(Pairs({3: {1: 1}}, g=2), 2, 3, 7), [2, 3, 7]) == [False]


def test_only_the_very_pattern_is_allowed(model: KeyModel) -> None:
    """Another history, or another key after the same one, is as odd as it was."""
    after = told(Answered(Ranked(model, 1)), 2, 3, 7)
    assert says(after, [2, 3, 7], [3, 3, 7], [2, 3, 8]) == [False, True, True]


def test_a_key_that_was_an_alert_is_allowed_but_not_learnt() -> None:
    """Other keys are learnt after whatever history, this one in the very pattern only."""
    before = Answered(KnownKeys.fit(as_session(TRAIN))).confirm(np.array([[1, 1]]), np.array([7]))
    after = told(told(before, 2, 3, 7), 2, 3, 8)
    assert says(before, [2, 3, 7]) == [True]
    assert says(after, [2, 3, 7], [1, 2, 7], [1, 2, 8]) == [False, True, False]


def test_what_was_confirmed_stays_an_alarm() -> None:
    """Whatever the method learns afterwards, and whatever a person says of the same pattern."""
    before = Answered(KnownKeys(frozenset({1}))).confirm(np.array([[1, 1]]), np.array([7]))
    after = replace(before, method=KnownKeys(frozenset({1, 7})))
    assert says(after, [1, 1, 7], [1, 2, 7]) == [True, False]
    assert says(told(after, 1, 1, 7), [1, 1, 7]) == [True]


def test_a_taught_model_knows_the_key(model: KeyModel) -> None:
    """After the lesson the key is in a new model's vocabulary; the old model does not know it."""
    after = told(Taught(Ranked(model, 1)), 2, 3, 7)
    assert isinstance(after, Taught)
    assert after.ranked.model.vocabulary.keys == (1, 2, 3, 7)
    assert model.vocabulary.keys == (1, 2, 3)


def test_lessons_get_rarer(model: KeyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answers are taught one by one, later ones when they are an eighth of those before."""
    monkeypatch.setattr(adaptive, "BRIEF", replace(adaptive.BRIEF, steps=1))
    method: Adaptive = Taught(Ranked(model, 1))
    waiting = []
    for key in range(10, 30):
        method = told(method, 2, 3, key)
        assert isinstance(method, Taught)
        waiting.append(len(method.due))
    assert waiting == [0] * 8 + [1, 0] * 4 + [1, 2, 0, 1]


@settings(deadline=None)
@given(train=KEYS, test=KEYS, g=st.integers(1, 3))
def test_pairs_are_the_n_gram_model_with_n_1(train: list[int], test: list[int], g: int) -> None:
    """The oracle: the package's own n-gram, anomalous where the key is unseen, never followed, or ranks behind g."""
    ranks = NGram(1, start=False, end=False).fit(as_session(train)).rank(as_session(test))[1:-1]
    odd = pl.col("rank").is_null() | (pl.col("rank") > g) | (pl.col("probability") == 0)
    pairs = [list(pair) for pair in pairwise(test)]
    assert says(Pairs.fit(as_session(train), g=g), *pairs) == ranks.select(odd).to_series().to_list()


def test_a_model_judges_as_its_ranks_do(model: KeyModel) -> None:
    """Anomalous is what ranks behind the g-th, and what has no rank."""
    keys = [1, 2, 3, 9, 1, 2, 2, 3, 1]
    ranks = model.rank(as_session(keys))["rank"][2:-1]
    patterns = [keys[at - 2 : at + 1] for at in range(2, len(keys))]
    assert says(Ranked(model, 1), *patterns) == [rank is None or rank > 1 for rank in ranks]


def test_a_model_as_it_was_trained_learns_nothing(model: KeyModel) -> None:
    """It is the row without an update."""
    assert says(told(Ranked(model, 1), 2, 3, 7), [2, 3, 7]) == [True]
