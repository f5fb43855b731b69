"""A key model that learns from answers: what is declared becomes probable, all else stays, and a gate guards it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from deeplog_nb.frames import InputError
from deeplog_nb.models.declared import PAIRS
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.network import probabilities
from deeplog_nb.models.taught import taught
from deeplog_nb.models.teaching import Teaching, grown
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.vocabulary import Vocabulary

RUNS = [[1, 2, 3, 4], [1, 2, 3, 3, 4], [5, 2, 6, 4]]


def paired(*rows: tuple[list[int], int | None]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 1) for row in rows], schema=PAIRS, orient="row")


@pytest.fixture(scope="module")
def model(sessions):
    training = Training(epochs=8, draws=2048, device="cpu")
    return KeyModel(history=3, units=16, training=training).fit(sessions(*RUNS, counts=[60] * 3))


def chance(model, history, key):
    told = model.expect(history, 99)
    return told.filter(pl.col("key").eq_missing(key))["probability"].item()


def test_both_keys_are_expected_after_a_key_was_declared(model):
    """The paper's example: k1 was certain after the window, k2 came and is normal; then both are output."""
    assert chance(model, [1, 2, 3], 6) < 1e-3 < 0.3 < chance(model, [1, 2, 3], 4)
    new = model.update(paired(([1, 2, 3], 6)), g=2).model
    assert chance(new, [1, 2, 3], 6) > 0.1
    assert chance(new, [1, 2, 3], 4) > 0.3


def test_nothing_is_forgotten(model):
    """Every training window that was not declared keeps its answer, to within a few hundredths."""
    new = model.update(paired(([1, 2, 3], 6))).model
    other = [(history, key) for history in ([1], [5, 2, 6], [1, 2], [5]) for key in (2, 3, 4, 6)]
    assert max(abs(chance(new, *each) - chance(model, *each)) for each in other) < 0.05


def test_a_new_key_is_admitted_where_it_was_declared(model):
    """There it is likely; elsewhere it is as good as unseen, and all old probabilities stay."""
    new = model.update(paired(([1, 2, 3], 77))).model
    assert new.vocabulary.keys == (*model.vocabulary.keys, 77)
    assert chance(new, [1, 2, 3], 77) > 0.1
    assert chance(new, [5, 2], 77) < 1e-6
    assert abs(chance(new, [5, 2], 6) - chance(model, [5, 2], 6)) < 0.02


@pytest.mark.parametrize("direct", [True, False])
def test_a_network_that_has_grown_answers_as_before(sessions, direct):
    """To the last digits: the new key is read as unknown and is no answer."""
    small = KeyModel(history=3, units=8, direct=direct, training=Training(epochs=2, device="cpu"))
    old = small.fit(sessions(*RUNS, counts=[20] * 3))
    more = Vocabulary.of([*old.vocabulary.keys, 0, 9, 33])
    histories = torch.from_numpy(np.random.default_rng(1).integers(0, old.vocabulary.inputs, (50, 3)))
    before = probabilities(old.network, histories)
    after = probabilities(grown(old.network, old.vocabulary, more), histories)
    assert torch.allclose(torch.cat([after[:, :6], after[:, 8:]], 1), before, atol=1e-6)
    assert float(after[:, 6:8].max()) < 1e-9


def test_a_declared_end_is_expected(model):
    """A session may stop there from now on."""
    assert chance(model, [1, 2], None) < 1e-3
    assert chance(model.update(paired(([1, 2], None))).model, [1, 2], None) > 0.1


def test_the_old_model_stays_as_it_is_to_the_last_bit(model, tmp_path):
    """Its files are the same before and after; so an update is taken back by keeping the old one."""
    model.save(tmp_path / "before")
    model.update(paired(([1, 2, 3], 77)))
    model.save(tmp_path / "after")
    for name in ("keys.json", "keys.safetensors"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()


def test_the_same_labels_give_the_same_model(model, tmp_path):
    """No chance in it, and a model that was saved learns what this one learns."""
    model.save(tmp_path / "old")
    for name, each in (("a", model), ("b", KeyModel.load(tmp_path / "old", device="cpu"))):
        each.update(paired(([1, 2, 3], 77))).model.save(tmp_path / name)
    assert (tmp_path / "a" / "keys.safetensors").read_bytes() == (tmp_path / "b" / "keys.safetensors").read_bytes()


def test_what_was_learnt_is_replayed_by_the_next_update(model):
    """The second label does not make it forget the first."""
    once = model.update(paired(([1, 2, 3], 77))).model
    twice = once.update(paired(([5, 2], 3))).model
    assert chance(twice, [1, 2, 3], 77) > 0.05
    assert chance(twice, [5, 2], 3) > 0.1


def test_an_update_that_would_lose_a_canary_is_refused(model, sessions):
    """The very alarm of a confirmed anomaly was declared normal: the model stays the old one, and says why."""
    wrong = sessions([1, 2, 3, 6])
    update = model.update(paired(([1, 2, 3], 6)), canaries=wrong, g=None, probability=0.01)
    assert update.model is model
    assert "1 of the canaries' sessions would lose an alarm" in update.refused
    assert update.count("lost") >= 1


def test_an_update_that_would_flag_more_of_the_held_out_is_refused(model, sessions):
    """What always came there comes half the time now, which is under the bound: the old model stays."""
    held, half = sessions([5, 2, 6, 4]), Teaching(share=0.5)
    update = model.update(paired(([5, 2], 3)), holdout=held, g=None, probability=0.7, teaching=half)
    assert (update.model is model, update.count("new")) == (True, 1)
    assert update.refused.startswith("2 held-out normal entries would be flagged, and 1 were")  # 5 begins one in three


def test_labels_that_teach_nothing_are_refused(model):
    """An empty frame is no answer."""
    with pytest.raises(InputError, match="label an alarm first"):
        model.update(paired())


def test_the_papers_setting_learns_too(sessions):
    """No padding, no end, no direct connections: a history that is shorter teaches nothing there."""
    plain = KeyModel(history=3, units=16, start=False, end=False, unknown=False, blur=0.0, dropout=0.0, direct=False)
    old = plain.fit(sessions(*RUNS, counts=[60] * 3))
    new = taught(old, paired(([1, 2, 3], 77), ([1], 77), ([1, 2, 3], None)), Teaching())
    assert chance(new, [1, 2, 3], 77) > 0.1
    assert len(new.seen.counts) == len(old.seen.counts) + 1
