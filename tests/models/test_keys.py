"""The log-key model: what it ranks, what it refuses, and that a saved one is the same one."""

from pathlib import Path

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.keys import KeyModel, KeySettings
from deeplog_nb.models.training import Training

FAST = Training(epochs=15, draws=512, device="cpu")
LOOP = [[1, 2, 3, 4, 5, 6]] * 20


@pytest.fixture(scope="module")
def model(sessions):
    return KeyModel(history=3, units=16, layers=1, training=FAST).fit(sessions(*LOOP))


def test_what_always_follows_is_ranked_first(model, sessions):
    """After a regular task every key, and the end, is the most probable one."""
    assert model.rank(sessions(LOOP[0]))["rank"].to_list() == [1] * 7


def test_what_never_follows_is_improbable(model, sessions):
    """A key out of order gets a small probability, and a rank behind the one that was due."""
    odd = model.rank(sessions([1, 2, 4])).row(2, named=True)
    assert odd["probability"] < 0.01
    assert odd["rank"] > 1


def test_a_session_that_stops_early_has_an_improbable_end(model, sessions):
    """The end row says how probable it was to end there."""
    ends = model.rank(sessions(LOOP[0], [1, 2])).filter(pl.col("key").is_null())["probability"]
    assert ends[0] > 0.9
    assert ends[1] < 0.01


def test_a_key_that_was_never_trained_has_no_rank_and_probability_zero(model, sessions):
    """Unseen is not the same as improbable, also for key 0, a message that fits no template."""
    ranks = model.rank(sessions([1, 99, 0]))
    assert ranks["rank"].to_list()[1:3] == [None, None]
    assert ranks["probability"].to_list()[1:3] == [0.0, 0.0]


def test_every_session_gets_its_entries_and_one_end_row(model, sessions):
    """Repeats are computed once and told to each: same keys, same numbers; nothing is dropped."""
    ranks = model.rank(sessions([1, 2], [1, 2], [3], counts=[1, 7, 1]))
    assert ranks["session"].to_list() == ["s0"] * 3 + ["s1"] * 3 + ["s2"] * 2
    assert ranks["position"].to_list() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert ranks["count"].to_list() == [1, 1, 1, 7, 7, 7, 1, 1]
    assert ranks["probability"][0:3].to_list() == ranks["probability"][3:6].to_list()


def test_a_count_trains_like_that_many_copies(sessions):
    """One session that stands for nine gives the model that nine copies give."""
    once = KeyModel(history=2, units=8, layers=1, training=FAST).fit(sessions([1, 2, 3], [1, 3], counts=[9, 1]))
    copied = KeyModel(history=2, units=8, layers=1, training=FAST).fit(sessions(*[[1, 2, 3]] * 9, [1, 3]))
    assert_frame_equal(once.rank(sessions([1, 2, 3])), copied.rank(sessions([1, 2, 3])))


def test_the_same_seed_gives_the_same_model(sessions):
    """Trained twice on the CPU with one seed, every probability is identical."""
    first, second = (KeyModel(history=3, units=8, training=FAST).fit(sessions(*LOOP)) for _ in range(2))
    assert_frame_equal(first.rank(sessions([1, 2, 4])), second.rank(sessions([1, 2, 4])), check_exact=True)


def test_training_leaves_the_global_random_state_alone(sessions):
    """A notebook's own random numbers do not change because a model was trained between them."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    KeyModel(history=2, units=4, layers=1, training=FAST).fit(sessions([1, 2, 3]))
    assert torch.equal(torch.rand(3), expected)


def test_a_result_does_not_depend_on_what_else_is_asked(model, sessions):
    """A session's numbers are the same alone and among many others."""
    alone = model.rank(sessions([1, 2, 4, 1]))
    among = model.rank(sessions([1, 2, 4, 1], *[[4, key, 2, 1] for key in (1, 2, 3, 4)], [2, 2, 2], [3]))
    assert_frame_equal(alone, among.head(5), check_exact=True)


def test_the_paper_setting_judges_only_full_histories(sessions):
    """Without start and end, the first h entries and the end row have no rank."""
    paper = KeyModel(history=3, units=8, start=False, end=False, blur=0, dropout=0, direct=False, training=FAST)
    ranks = paper.fit(sessions(*LOOP)).rank(sessions([1, 2, 3, 4, 1]))
    assert ranks["rank"].is_null().to_list() == [True, True, True, False, False, True]


def test_a_history_with_an_unknown_key_can_be_left_unjudged(model, sessions):
    """By default what follows an unknown key is judged; the switch leaves it until that key is out of sight."""
    strange = sessions([1, 99, 3, 4, 5, 6])
    off = KeyModel(history=3, units=8, layers=1, unknown=False, training=FAST).fit(sessions(*LOOP))
    assert model.rank(strange)["rank"].is_null().to_list() == [False, True, False, False, False, False, False]
    assert off.rank(strange)["rank"].is_null().to_list() == [False, True, True, True, True, False, False]


def test_expect_names_the_next_keys_and_the_end(model):
    """The most probable next keys, null being the end of the session."""
    assert model.expect([1, 2])["key"][0] == 3
    assert model.expect(LOOP[0])["key"][0] is None
    assert model.expect([], most=2).height == 2


def test_an_interrupt_keeps_the_best_weights(sessions):
    """Ctrl-C in the middle of training leaves a model that ranks."""

    def stop(step):
        if step.epoch == 3:
            raise KeyboardInterrupt

    model = KeyModel(history=3, units=8, training=FAST).fit(sessions(*LOOP), progress=stop)
    assert model.losses.height == 3
    assert model.rank(sessions(LOOP[0]))["rank"].null_count() == 0


def test_steps_can_be_watched_one_by_one(sessions):
    """The iterator gives an epoch at a time, with the held-out loss, and may be left early."""
    model = KeyModel(history=3, units=8, training=FAST)
    for step in model.steps(sessions(*LOOP), sessions(LOOP[0])):
        assert step.valid_loss is not None
        if step.epoch == 2:
            break
    assert model.rank(sessions([1, 2]))["probability"].is_between(0, 1).all()


def test_training_stops_when_held_out_sessions_get_no_better(sessions):
    """Held-out sessions that contradict the training ones end it after the patience."""
    patient = Training(epochs=30, patience=2, draws=512, device="cpu")
    model = KeyModel(history=2, units=8, layers=1, training=patient)
    model.fit(sessions(*[[1, 2, 3]] * 9), sessions(*[[3, 2, 1]] * 9))
    assert model.losses.height < 30


def test_a_saved_model_is_the_same_model(model, sessions, tmp_path: Path):
    """Loaded in another place, every rank and probability is identical."""
    model.save(tmp_path)
    loaded = KeyModel.load(tmp_path, device="cpu")
    assert_frame_equal(loaded.rank(sessions([1, 2, 4])), model.rank(sessions([1, 2, 4])), check_exact=True)
    assert_frame_equal(loaded.losses, model.losses)


def test_changed_weights_are_refused(model, tmp_path: Path):
    """A flipped byte in the weights is a ModelError, not another model."""
    model.save(tmp_path)
    weights = tmp_path / "keys.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="changed since it was saved"):
        KeyModel.load(tmp_path)


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path):
    """Loading from the wrong folder names the file that should be there."""
    with pytest.raises(InputError, match=r"keys\.json is missing"):
        KeyModel.load(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1, "weights": "0"}', "not json"])
def test_a_broken_description_is_refused(model, tmp_path: Path, content: str):
    """Whatever stands in keys.json, the answer is a ModelError."""
    model.save(tmp_path)
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(ModelError):
        KeyModel.load(tmp_path)


def test_ranking_before_fitting_says_what_to_do(sessions):
    """An unfitted model names the call that is missing."""
    with pytest.raises(ModelError, match="call fit"):
        KeyModel().rank(sessions([1]))


def test_sessions_too_short_for_the_paper_setting_are_an_error(sessions):
    """Where no session has a full history there is nothing to train on, and the message says so."""
    with pytest.raises(InputError, match="longer than the history"):
        KeyModel(history=5, start=False).fit(sessions([1, 2, 3]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_gpu_gives_the_same_verdicts(model, sessions, tmp_path: Path):
    """Ranked on CUDA and on the CPU, probabilities agree within 1e-5 and ranks but for ties."""
    model.save(tmp_path)
    there = KeyModel.load(tmp_path, device="cuda").rank(sessions(*LOOP))
    assert_frame_equal(there, model.rank(sessions(*LOOP)), abs_tol=1e-5)


def test_the_defaults_are_those_of_the_settings():
    """What the constructor assumes and what the settings say are written twice and are the same."""
    assert KeyModel().settings == KeySettings()


@pytest.mark.parametrize("settings", [{}, {"start": False}, {"end": False}, {"unknown": False}])
def test_single_histories_are_scored_as_whole_sessions_are(sessions, settings):
    """Whatever the settings, and whether 3 or 300 are asked: ranks are equal, probabilities to the last digits."""
    model = KeyModel(history=3, units=16, layers=1, training=Training(epochs=2, device="cpu"), **settings)
    model.fit(sessions(*LOOP))
    keys = [1, 2, 99, 4, 0, 5, 6, 1, 1, 2]
    ranks = model.rank(sessions(keys))
    asked = [(keys[max(0, at - 3) : at], key) for at, key in enumerate([*keys, None])]
    for times in (1, 30, 60):
        told = model.score(*map(list, zip(*asked * times, strict=True)))
        assert [rank for rank, _ in told] == ranks["rank"].to_list() * times
        assert [chance for _, chance in told] == pytest.approx(ranks["probability"].to_list() * times, abs=1e-6)
