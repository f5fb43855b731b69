"""The value model: what it forecasts, what reaches its fit, its fall-backs, and that a saved one is the same one."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from deeplog_nb.frames import ERRORS, InputError, ModelError
from deeplog_nb.models.categories import fit_categories
from deeplog_nb.models.forecast import ForecastNetwork
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.models.zscore import ZScore
from deeplog_nb.sessions.parameters import parameters, retype

FAST = Training(epochs=3, patience=3, batch=64, draws=256, temper=1.0, device="cpu")


def log(sessions: int = 200, *, seed: int = 0, slow: int | None = None, odd: int | None = None, verb: str = "GET"):
    """Sessions of three entries: key 2 comes 3 s after key 1 and states about 100 MB, key 3 comes 1 s later."""
    rng = np.random.default_rng(seed)
    waits, sizes = 3 + 0.3 * rng.normal(size=sessions), 100 + 5 * rng.normal(size=sessions)
    if slow is not None:
        waits[slow] = 12.0
    if odd is not None:
        sizes[odd] = 300.0
    rows = [
        row
        for at, (wait, size) in enumerate(zip(waits, sizes, strict=True))
        for row in (
            (f"s{at}", 0, 1, None, []),
            (f"s{at}", 1, 2, round(wait, 3), [f"{size:.1f} MB", f"blk_{at}"]),
            (f"s{at}", 2, 3, 1.0 + round(0.1 * rng.random(), 3), [verb if at == 0 else "GET"]),
        )
    ]
    schema = {"session": pl.String, "position": pl.UInt32, "key": pl.UInt32, "elapsed": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema | {"parameters": pl.List(pl.String)}, orient="row")
    return frame.with_columns(count=pl.lit(1, pl.UInt32), open=pl.lit(False))


@pytest.fixture(scope="module")
def model():
    return ValueModel(confidence=0.99, training=FAST).fit(log(300))


def flagged(model, sessions) -> pl.DataFrame:
    return model.errors(sessions).filter(pl.col("tail") <= 1 - model.settings.confidence)


def test_a_slow_step_and_an_odd_value_are_each_named(model):
    """The wait is told in seconds, the value in its own unit, each beside what was expected."""
    slow = flagged(model, log(50, seed=1, slow=20)).filter(pl.col("session") == "s20").row(0, named=True)
    odd = flagged(model, log(50, seed=1, odd=20)).filter(pl.col("session") == "s20").row(0, named=True)
    assert (slow["position"], slow["worst"], slow["seen"], slow["unit"]) == (1, "elapsed", 12.0, "s")
    assert slow["expected"] == pytest.approx(3, abs=0.5)
    assert (odd["worst"], odd["seen"], odd["unit"]) == ("parameter 1", 300.0, "MB")
    assert odd["expected"] == pytest.approx(100, abs=10)


@pytest.mark.parametrize("train", [300, 12])
@pytest.mark.parametrize("huge", ["1e60 MB", "1e999 MB", "-1e999 MB"])
def test_a_huge_or_infinite_number_is_judged(model, train, huge):
    """By a network and by a robust bound; its usual wait does not hide it."""
    judge = model if train == 300 else ValueModel(confidence=0.98, training=FAST).fit(log(12), log(12, seed=8))
    changed = pl.when(pl.col("key") == 2).then(pl.lit([huge, "blk_0"])).otherwise("parameters")
    sessions = log(5, seed=1).with_columns(parameters=changed)
    assert flagged(judge, sessions).filter(pl.col("key") == 2)["worst"].to_list() == ["parameter 1"] * 5


def test_errors_keep_their_contract_and_their_rows(model):
    """One row an entry; what is not judged has null; a bound says what its tail says."""
    errors = model.errors(log(50, seed=2))
    assert errors.schema == pl.Schema(ERRORS)
    assert len(errors) == 150
    assert errors["tail"].is_null().to_list() == [True, False, False] * 50
    judged = errors.drop_nulls("tail")
    over = judged["error"] > judged["bound"]
    assert (over == (judged["tail"] <= 0.01)).mean() > 0.99


def test_false_alarms_on_fresh_normal_sessions_are_about_as_stated(model):
    """At 99 % between a third and three times 1 %."""
    errors = model.errors(log(3000, seed=3)).drop_nulls("tail")
    assert 0.003 < (errors["tail"] <= 0.01).mean() < 0.03


def test_anomalies_of_the_judged_part_cannot_reach_the_fit(model):
    """A fitted model is the same whatever it judges; and a bound comes from the held-out part alone."""
    before = model.bounds
    model.errors(log(100, seed=4, slow=3, odd=5))
    assert_frame_equal(model.bounds, before)
    again = ValueModel(confidence=0.99, training=FAST).fit(log(300))
    assert_frame_equal(again.bounds, before)


def test_weights_and_scales_come_from_the_training_part_alone():
    """Another held-out part gives other bounds, but no other mean or deviation."""
    train, other = log(200), log(60, seed=5, slow=7)
    one, two = (ValueModel(training=FAST).fit(train, valid) for valid in (log(60, seed=6), other))
    scales = [each.fitted.forecasters.scales for each in (one, two)]
    assert np.array_equal(scales[0].mean, scales[1].mean)
    assert np.array_equal(scales[0].deviation, scales[1].deviation)
    assert one.bounds["bound"].to_list() != two.bounds["bound"].to_list()


def test_an_odd_value_does_not_spoil_the_forecasts_after_it(model):
    """What a history holds is drawn in to three deviations; the error of the odd value itself is not."""
    usual, odd = (model.errors(log(50, seed=7, slow=at)) for at in (None, 20))
    after = pl.col("session").is_in(["s21", "s22", "s23"]) & (pl.col("position") == 1)
    shift = usual.filter(after)["expected"] - odd.filter(after)["expected"]
    assert shift.abs().max() < 1.0
    assert odd["error"].max() > 100


def test_few_examples_get_a_robust_bound_and_say_so():
    """12 sessions are too few for a network; a wait four times as long is still found."""
    model = ValueModel(confidence=0.98, training=FAST).fit(log(12), log(12, seed=8))
    assert model.bounds.filter(pl.col("key") == 2)["judged_by"].unique().to_list() == ["robust"]
    found = flagged(model, log(12, seed=9, slow=5))
    assert found.filter(pl.col("session") == "s5")["worst"].to_list() == ["elapsed"]


def test_constants_and_nulls_are_judged_by_what_they_are():
    """A wait that never varies is judged by the clock's resolution; null is not judged; nothing breaks."""
    still = log(100).with_columns(elapsed=pl.when(pl.col("position") == 2).then(2.0))
    model = ValueModel(training=FAST).fit(still)
    errors = model.errors(still.with_columns(elapsed=pl.col("elapsed") + 60.0))
    assert errors.filter(pl.col("position") == 2)["seen"].unique().to_list() == [62.0]
    assert errors.filter(pl.col("position") == 0)["tail"].null_count() == 100


def test_a_new_value_of_a_category_is_told():
    """GET alone was seen; PUT is new, by name; identifiers may be new."""
    model = ValueModel(training=FAST).fit(log(200))
    new = model.errors(log(5, seed=1, verb="PUT")).drop_nulls("text")
    assert new.select("session", "key", "worst", "text").rows() == [("s0", 3, "parameter 1", "PUT")]


def test_a_value_that_only_the_held_out_part_has_is_no_new_one():
    """Version 2 came with the latest sessions, all of them normal: it is known."""
    changed = pl.when(pl.col("key") == 3).then(pl.lit(["v2"])).otherwise("parameters")
    model = ValueModel(training=FAST).fit(log(200), log(50, seed=1).with_columns(parameters=changed))
    assert model.errors(log(5, seed=2).with_columns(parameters=changed))["text"].null_count() == 15


def test_a_category_that_often_brings_new_values_is_not_checked():
    """By Good and Turing: values that came once say how often new ones come."""
    texts = [[f"v{at}"] for at in range(30)] + [["usual"]] * 100
    sessions = pl.DataFrame(
        {"session": "s", "key": [1] * 130, "parameters": texts}, schema_overrides={"key": pl.UInt32}
    )
    typed = retype(parameters(sessions), {(1, 0): "categorical"})
    assert fit_categories(sessions, typed, 0.999).positions.is_empty()


def test_a_corrected_type_is_what_is_learnt():
    """The size called an identifier is no longer looked at."""
    typed = retype(parameters(log(200)), {(2, 0): "identifier"})
    model = ValueModel(training=FAST).fit(log(200), parameters=typed)
    assert model.errors(log(20, seed=1, odd=4))["worst"].unique().drop_nulls().to_list() == ["elapsed"]


def test_another_confidence_needs_no_training(model):
    """A higher confidence has higher bounds, the paper's Gaussian others; the model itself stays as it is."""
    higher = model.at(confidence=0.9999)
    assert (higher.bounds["bound"].drop_nulls() > model.bounds["bound"].drop_nulls()).all()
    assert (
        model.at(bound="gaussian").bounds["bound_by"].unique().to_list() != model.bounds["bound_by"].unique().to_list()
    )
    assert model.settings.confidence == 0.99


@pytest.mark.parametrize("options", [{}, {"apart": False, "bound": "gaussian"}, {"follow": False, "series": "session"}])
def test_a_saved_model_is_the_same_one(options, tmp_path):
    """Errors, bounds and losses after loading are those before, to the last bit."""
    model = ValueModel(training=FAST, **options).fit(log(100))
    model.save(tmp_path)
    loaded = ValueModel.load(tmp_path, device="cpu")
    assert_frame_equal(loaded.errors(log(20, seed=1)), model.errors(log(20, seed=1)), check_exact=True)
    assert_frame_equal(loaded.bounds, model.bounds)
    assert_frame_equal(loaded.losses, model.losses)


def test_a_broken_file_is_refused(model, tmp_path):
    """Settings that are none, and arrays that do not fit together."""
    model.save(tmp_path)
    facts = json.loads((tmp_path / "values.json").read_text())
    (tmp_path / "values.json").write_text(json.dumps(facts | {"settings": {"history": 5}}))
    with pytest.raises(ModelError, match="not a saved ValueModel"):
        ValueModel.load(tmp_path)


def test_what_cannot_be_is_refused():
    """No fit yet, a confidence that is none, a bound that nobody knows."""
    with pytest.raises(ModelError, match="call fit"):
        ValueModel().errors(log(2))
    with pytest.raises(InputError, match="confidence is 1"):
        ValueModel(confidence=1.0)
    with pytest.raises(InputError, match="gaussian-mean, quantile"):
        ValueModel(bound="student")
    with pytest.raises(InputError, match="'key'; it is one of log, session"):
        ValueModel(series="key")
    for name, value in (("history", 0), ("units", -1), ("layers", 1.5)):
        with pytest.raises(InputError, match=f"{name} is {value}; it must be a whole number from 1 on"):
            ValueModel(**{name: value})


def test_one_networks_result_does_not_depend_on_the_others():
    """Series are trained side by side, each by itself: alone or in company the forecast is the same."""
    torch.manual_seed(0)
    network = ForecastNetwork(3, 2, 4, 2, 5)
    torch.nn.init.normal_(network.scores)
    histories = torch.randn(3, 6, 5, 2)
    alone = network(histories[1:2], torch.tensor([1]))
    assert torch.allclose(network(histories)[1], alone[0], atol=1e-6)


def test_the_networks_are_lstms():
    """The same weights in torch's own LSTM give the same hidden state, hence the same forecast."""
    torch.manual_seed(0)
    network = ForecastNetwork(1, 2, 4, 1, 5)
    torch.nn.init.normal_(network.scores)
    reference = torch.nn.LSTM(2, 4, batch_first=True)
    order = torch.cat([torch.arange(4, 8), torch.arange(0, 4), torch.arange(12, 16), torch.arange(8, 12)])  # i f g o
    with torch.no_grad():
        reference.weight_ih_l0.copy_(network.inputs[0][0].T[order])
        reference.weight_hh_l0.copy_(network.recurrent[0][0].T[order])
        reference.bias_ih_l0.copy_(network.biases[0][0, 0][order])
        reference.bias_hh_l0.zero_()
    histories = torch.randn(6, 5, 2)
    hidden = reference(histories)[0][:, -1]
    assert torch.allclose(network(histories[None])[0], hidden @ network.scores[0], atol=1e-5)


def test_the_z_score_is_the_textbooks():
    """Distance from the median in 1.4826 median absolute deviations, squared."""
    sessions = log(9).filter(pl.col("key") == 3)
    waits = sessions["elapsed"].to_numpy()
    spread = 1.4826 * np.median(np.abs(waits - np.median(waits)))
    told = ZScore().fit(sessions).errors(sessions)["error"].to_numpy()
    assert told == pytest.approx(((waits - np.median(waits)) / spread) ** 2, rel=1e-5)
