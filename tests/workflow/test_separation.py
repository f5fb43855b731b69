"""Where one task ends and the next begins, told from what models predict."""

import numpy as np
import pytest

from deeplog_nb.models.ngram import NGram
from deeplog_nb.workflow.entries import Entries
from deeplog_nb.workflow.predictions import Predictor
from deeplog_nb.workflow.separation import by_prediction

USUAL, RARE, OTHER = [16, 9, 36], [17, 9, 36], [31, 34, 35]


class Hesitant:
    """An n-gram that gives what follows one key but part of its probability, as a network does that saw it seldom."""

    def __init__(self, model, key, share):
        self.model, self.key, self.share = model, key, share
        self.vocabulary, self.history = model.vocabulary, model.history

    def chances(self, histories):
        found = self.model.chances(histories)
        here = histories[:, -1] == self.vocabulary.codes(np.array([self.key]))[0]
        found[here] = found[here] * self.share + (1 - self.share) / found.shape[1]
        return found.astype(np.float32)


def cut(sessions, runs, share=1.0, tau=0.9):
    """The first keys of all tasks that are found in these runs, one after another."""
    keys = np.array([key for run in runs for key in run])
    model = Hesitant(NGram(2).fit(sessions(keys.tolist())), 17, share)
    entries = Entries(keys, np.array([len(keys)]), np.array([1]))
    return set(keys[by_prediction(entries, Predictor(model), tau=tau, without=())].tolist())


def mixed(*runs, seed=0):
    """These runs in an order that tells nothing."""
    return [runs[at] for at in np.random.default_rng(seed).permutation(len(runs))]


@pytest.mark.parametrize("share", [1.0, 0.8, 0.6])
def test_what_always_follows_a_rare_key_is_its_task(sessions, share):
    """Six of 100 runs begin with 17; the model hesitates, all the others of the six say it."""
    runs = mixed(*[USUAL] * 94, *[RARE] * 6, *[OTHER] * 100)
    assert cut(sessions, runs, share) == {16, 17, 31}


def test_what_follows_a_rare_key_by_chance_is_not(sessions):
    """Behind 17 comes any task, six times: each of them begins anew, whatever the model hesitates."""
    runs = mixed(*[USUAL] * 100, *[OTHER] * 100, *[[1, 2, 17]] * 6, *[[1, 2, 3]] * 60)
    assert {16, 31} <= cut(sessions, runs, 0.8)


def test_what_comes_late_is_no_new_task(sessions):
    """9 and 36 come in any order, 21 behind 36 in a few runs; once ahead of 9, which then no history foretells."""
    often = [[16, 9, 36]] * 60 + [[16, 36, 9]] * 40 + [[16, 9, 36, 21]] * 8
    runs = mixed(*often, [16, 36, 21, 9], *[OTHER] * 100)
    assert 9 not in cut(sessions, runs)
