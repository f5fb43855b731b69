"""The method as one: what its settings are, what it looks at, and that every alarm names its cause."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.keys import KeyModel, KeySettings
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.mutants import mutants
from deeplog_nb.verdicts.ablate import only
from deeplog_nb.verdicts.coverage import coverage
from deeplog_nb.verdicts.deeplog import DeepLog, Setting
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.power import detection_power

FAST = Training(epochs=8, draws=512, device="cpu")
QUICK = Setting(KeySettings(history=3, layers=1, units=16, training=FAST), folds=2)
TASKS = [[1, 2, 3, 4]] * 60 + [[1, 2, 5, 3, 4]] * 40 + [[1, 3, 2, 4]] * 30


@pytest.fixture(scope="module")
def model(sessions):
    return DeepLog(QUICK).fit(sessions(*TASKS, [1, 2, 5, 5, 3, 4], [1, 3, 2, 5, 4]))


def test_the_settings_are_the_papers_and_ours():
    """H = 10, g = 9, two layers of 64, nothing padded; ours judges order, ending and counts."""
    theirs, ours = Setting.paper(3), Setting.best(3)
    assert (theirs.keys.history, theirs.keys.layers, theirs.keys.units) == (10, 2, 64)
    assert (theirs.keys.start, theirs.keys.end, theirs.keys.direct, theirs.counts) == (False, False, False, False)
    assert (theirs.policy.g, theirs.policy.longer_than) == (9, 10)
    assert theirs.keys.training.seed == ours.keys.training.seed == 3
    assert ours.policy is None
    assert ours.ordered
    assert ours.ending
    assert ours.counts


def test_every_alarm_names_its_cause(model, sessions):
    """A new key, a session that stops, and one whose counts are impossible, each by its own rule."""
    verdicts = model.judge(sessions([1, 2, 9, 3, 4], [1, 2], [1, 2, 3, 4, 4], [1, 2, 3, 4]))
    fired = verdicts.group_by("session", maintain_order=True).agg(pl.col("unseen", "counts", "anomalous").any())
    assert fired["unseen"].to_list() == [True, False, False, False]
    assert fired["counts"].to_list() == [False, True, True, False]
    assert fired["anomalous"].to_list() == [True, True, True, False]
    assert verdicts.filter("anomalous")["why"].str.contains("unseen|counts|unlikely|ended early").all()


def test_its_bounds_say_where_they_come_from(model):
    """Held-out normal sessions, in how many folds, and the count check's own figure."""
    assert "held-out normal" in model.source
    assert "left out in 2 folds" in model.source
    assert "keys fixed" in model.source


def test_what_is_judged_changes_neither_bound_nor_model(model, sessions):
    """Judged twice, with other sessions between, nothing moves."""
    before, policy = model.judge(sessions([1, 2, 4])), model.policy
    model.judge(sessions([4, 4, 4], [9]))
    assert model.policy == policy
    assert_frame_equal(model.judge(sessions([1, 2, 4])), before)


def test_a_rule_can_be_left_out(model, sessions):
    """Without the count check, a session with impossible counts needs another rule to be found."""
    verdicts = model.judge(sessions([1, 2, 3, 4, 4]))
    without = only(verdicts, {"unseen"})
    assert verdicts["anomalous"].any()
    assert not without["anomalous"].any()
    assert not without["counts"].any()
    with pytest.raises(InputError, match="no rule is called nonsense"):
        only(verdicts, {"nonsense"})


def test_mutants_measure_power_without_labels(model, sessions):
    """Of each kind the share that is found; cut sessions are all found here."""
    made = mutants(sessions(*TASKS), seed=1)
    found = detection_power(model.judge(made.sessions), made.truth)
    assert found["caught"].is_between(0, 1).all()
    assert found.filter(kind="cut")["caught"].item() == 1.0


def test_few_sessions_are_calibrated_by_pieces(sessions):
    """One long session: its bounds come from pieces of it, and say so."""
    setting = replace(QUICK, keys=replace(QUICK.keys, start=False, end=False), ending=False, counts=False)
    model = DeepLog(setting).fit(sessions([1, 2, 3, 4] * 100, open_=True))
    assert "pieces of 100 entries" in model.source
    assert model.policy.ending is None


def test_neighbours_in_both_orders_can_be_swapped_for_training(sessions):
    """With swaps there is more to train on; everything else is the same."""
    assert DeepLog(replace(QUICK, swaps=True)).fit(sessions(*TASKS)).policy.probability is not None


def test_coverage_rises_with_g(model, sessions):
    """Each g covers at least what the one before it does, and all ranks are covered in the end."""
    shares = coverage(model.keys.rank(sessions(*TASKS)))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_nonsense_is_refused(sessions):
    """An unfitted method judges nothing, and a rate is a share."""
    with pytest.raises(ModelError, match="call fit"):
        DeepLog(QUICK).judge(sessions([1]))
    with pytest.raises(InputError, match="rate is 3"):
        DeepLog(replace(QUICK, rate=3.0)).fit(sessions([1]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_trained_on_a_gpu_the_verdicts_there_are_those_of_the_cpu(sessions, tmp_path: Path):
    """At least 99.999 % of the entries agree, and where one does not its probability is within 1e-5 of the bound."""
    training = replace(FAST, device="cuda")
    model = DeepLog(replace(QUICK, keys=replace(QUICK.keys, training=training))).fit(sessions(*TASKS))
    model.keys.save(tmp_path)
    many = mutants(sessions(*TASKS), seed=2).sessions
    there, here = (
        judge(KeyModel.load(tmp_path, device=device).rank(many), policy=model.policy) for device in ("cuda", "cpu")
    )
    differ = here.filter(here["anomalous"] != there["anomalous"])
    bounds = [bound for bound in (model.policy.probability, model.policy.ending) if bound is not None]
    assert len(differ) <= 1e-5 * len(here)
    assert all(min(abs(chance - bound) for bound in bounds) < 1e-5 for chance in differ["probability"])
