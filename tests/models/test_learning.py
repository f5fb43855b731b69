"""What an update of a value model changes, and, more of it, what it leaves as it was."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.data import make_openstack
from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import FrameError, InputError, ModelError
from deeplog_nb.lines.layouts import layouts
from deeplog_nb.lines.read import read
from deeplog_nb.models.store import load_model, save_numbers
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.sessionize import sessionize

FAST = Training(epochs=3, patience=3, batch=64, draws=256, temper=1.0, device="cpu")
SLOW, WAITED = pl.col("elapsed") > 10, pl.col("elapsed") > 4


def log(sessions: int = 200, *, seed: int = 0, slow: float = 0, verb: str = "GET", many: int = 1) -> pl.DataFrame:
    """Key 2 comes about 3 s after key 1 (``slow`` s in the first sessions), key 3 about 1 s later, with a verb."""
    rng = np.random.default_rng(seed)
    waits, later = 3 + 0.3 * rng.normal(size=sessions), 1 + 0.1 * rng.random(sessions)
    if slow:
        waits[:many] = slow
    rows = [
        row
        for at, (wait, last) in enumerate(zip(waits, later, strict=True))
        for row in (
            (f"s{at}", 0, 1, None, []),
            (f"s{at}", 1, 2, round(wait, 3), []),
            (f"s{at}", 2, 3, round(last, 3), [verb if at == 0 else "GET"]),
        )
    ]
    schema = {"session": pl.String, "position": pl.UInt32, "key": pl.UInt32, "elapsed": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema | {"parameters": pl.List(pl.String)}, orient="row")
    return frame.with_columns(count=pl.lit(1, pl.UInt32), open=pl.lit(False))


def declared(sessions: pl.DataFrame, rows: pl.Expr = SLOW) -> pl.DataFrame:
    return sessions.with_columns(learn=rows.fill_null(False))


def fitted(**options) -> ValueModel:
    return ValueModel(**{"confidence": 0.99, "training": FAST} | options).fit(log(300))


@pytest.fixture(scope="module")
def model() -> ValueModel:
    return fitted()


def files(model: ValueModel, folder) -> list[bytes]:
    model.save(folder)
    return [(folder / f"values.{kind}").read_bytes() for kind in ("json", "safetensors")]


def wait_bound(model: ValueModel) -> float:
    return model.bounds.filter((pl.col("key") == 2) & (pl.col("position") == "elapsed"))["bound"].max()


def test_the_old_model_stays_as_it_is(model, tmp_path):
    """What it saves is the same to the last byte after an update; and the same update again gives the same bytes."""
    before = files(model, tmp_path / "before")
    one, two = (model.update(declared(log(50, seed=1, slow=12))).model for _ in range(2))
    assert files(model, tmp_path / "after") == before
    assert files(one, tmp_path / "one") == files(two, tmp_path / "two") != before


def test_the_likes_of_a_declared_wait_are_judged_milder(model):
    """A wait of 11 s is more probable than it was, once one of 12 s is normal; its bound is wider."""
    new = model.update(declared(log(50, seed=1, slow=12))).model
    before, after = (each.errors(log(50, seed=2, slow=11)).row(1, named=True) for each in (model, new))
    assert after["tail"] > before["tail"]
    assert after["bound"] > before["bound"]


def test_all_other_series_keep_their_verdicts_exactly(model):
    """No error, bound or tail of another series changes in its last bit."""
    new = model.update(declared(log(50, seed=1, slow=12))).model
    other, rest = pl.col("key") != 2, log(100, seed=3, slow=12)
    assert_frame_equal(model.bounds.filter(other), new.bounds.filter(other), check_exact=True)
    assert_frame_equal(model.errors(rest).filter(other), new.errors(rest).filter(other), check_exact=True)


@pytest.mark.parametrize("bound", ["quantile", "gaussian", "gaussian-mean"])
def test_a_wild_label_does_not_carry_the_bound_away(bound):
    """A declared wait of eleven days widens the bound a little; a wait of 20 s is flagged as before."""
    model = fitted(bound=bound)
    new = model.update(declared(log(50, seed=1, slow=1e6))).model
    assert wait_bound(model) < wait_bound(new) < 2 * wait_bound(model)
    assert new._flags(log(50, seed=2, slow=20))["flagged"][1]


def test_twenty_alike_are_learnt(model):
    """Then the likes of them are flagged no more, and a wait that is much longer still is."""
    update = model.update(declared(log(200, seed=1, slow=12, many=25)))
    assert update.count("cleared") >= 20
    assert not update.model._flags(log(50, seed=2, slow=11))["flagged"][1]
    assert update.model._flags(log(50, seed=2, slow=60))["flagged"][1]


def test_nothing_is_forgotten(model):
    """The mean error on the training sessions rises by 2 % at most, after 60 wild labels and 200 steps."""
    new = model.update(declared(log(100, seed=1, slow=12, many=60)), steps=200).model
    before, after = (each.errors(log(300)).group_by("key").agg(pl.col("error").mean()) for each in (model, new))
    told = before.drop_nulls("error").join(after, on="key")
    assert (told["error_right"] <= 1.02 * told["error"]).all()


def test_a_declared_text_is_known_from_now_on_and_no_other(model):
    """Exactly that verb at that position: the next new one is flagged."""
    odd = declared(log(20, seed=1, verb="MOVE"), pl.col("key") == 3)
    update = model.update(odd)
    assert update.changes.rows() == [("cleared", "s0", 2, 3)]
    assert update.model.errors(log(5, seed=2, verb="COPY"))["text"].to_list().count("COPY") == 1
    assert model.errors(odd)["text"].to_list().count("MOVE") == 1


def test_few_examples_get_one_more():
    """A robust bound widens by a label, and not without limit: a wild one counts for no more than the old bound."""
    model = ValueModel(confidence=0.98, training=FAST).fit(log(12), log(12, seed=8))
    mild, wild = (model.update(declared(log(5, seed=1, slow=slow), WAITED)).model for slow in (4.5, 1e9))
    reach = [each.errors(log(5, seed=2, slow=20))["reach"][1] for each in (model, mild, wild)]
    assert reach[0] < reach[1] <= reach[2] < 3 * reach[0]
    assert wild.bounds["examples"].max() == 13


def test_a_sort_never_seen_is_judged_from_five_examples_on(model):
    """Key 9 after key 3: four labels are too few, and the fifth makes its wait judged."""
    new = log(40, seed=4).filter(pl.col("position") < 2).with_columns(pl.col("key").replace(2, 9))
    labels = [declared(new, (pl.col("key") == 9) & (pl.col("session").str.slice(1).cast(int) < n)) for n in (4, 5)]
    four = model.update(labels[0]).model
    five, later = model.update(labels[1]).model, four.update(declared(new, (pl.col("session") == "s7"))).model
    judged = [each.errors(new)["tail"].count() for each in (model, four, five, later)]
    assert judged == [0, 0, 40, 40]


def test_a_refused_update_gives_the_old_model(model):
    """The 25 labels would hide a canary with the same wait."""
    update = model.update(declared(log(200, seed=1, slow=12, many=25)), canaries=log(50, seed=2, slow=11))
    assert update.model is model
    assert not update.accepted
    assert update.count("lost") == 1


def test_an_updated_model_comes_back_from_disk(model, tmp_path):
    """It judges the same, and learns on the same."""
    new = model.update(declared(log(50, seed=1, slow=12))).model
    new.save(tmp_path)
    loaded = ValueModel.load(tmp_path, device="cpu")
    assert_frame_equal(loaded.errors(log(50, seed=2, slow=11)), new.errors(log(50, seed=2, slow=11)))
    again = declared(log(50, seed=5, slow=13))
    assert_frame_equal(loaded.update(again).model.bounds, new.update(again).model.bounds)


def test_a_model_of_an_older_version_is_refused(model, tmp_path):
    """It kept no examples: it could not learn on without forgetting."""
    model.save(tmp_path)
    facts, numbers = load_model(tmp_path, "values")
    old = {name: value for name, value in numbers.items() if not name.startswith("kept_")}
    described = {name: fact for name, fact in facts.items() if name not in ("format", "weights")}
    save_numbers(tmp_path, "values", old, described)
    with pytest.raises(ModelError, match="older version"):
        ValueModel.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"learn": pl.lit(False)}, InputError, "learn"),
        ({"learn": pl.lit(1)}, FrameError, "learn"),
        ({"key": pl.lit("a")}, FrameError, "key"),
    ],
)
def test_what_cannot_be_learnt_is_refused(model, change, error, match):
    """By the name of the column."""
    with pytest.raises(error, match=match):
        model.update(log(5).with_columns(**change))


@pytest.fixture(scope="module")
def openstack(tmp_path_factory):
    """A model of normal machines, and two logs with planted slow steps and odd values: the attacker's, a fresh one."""
    folder, by = tmp_path_factory.mktemp("openstack"), layouts()["openstack"].session
    planted = {"vms": 300, "anomalies": 50, "clean": 0.05, "kinds": ("slow_step", "abnormal_value")}
    logs = [make_openstack(1, vms=250, anomalies=0), *(make_openstack(seed, **planted) for seed in (2, 3))]
    lines = [read(each.write(folder, name=f"{at}.log")) for at, each in enumerate(logs)]
    templates = Spell().fit(lines[0])
    train, *tests = (sessionize(templates.parse(each), by=by) for each in lines)
    truth = [each.truth.filter("anomalous").select("session", "line", "kind") for each in logs[1:]]
    marked = [each.join(told, on=["session", "line"], how="left") for each, told in zip(tests, truth, strict=True)]
    return ValueModel(training=FAST).fit(train, templates=templates), *marked


def caught(model: ValueModel, sessions: pl.DataFrame, kind: str) -> float:
    """Share of the planted entries of this kind that are flagged."""
    return model._flags(sessions).filter(sessions["kind"].eq_missing(kind))["flagged"].mean()


def test_fifty_malicious_labels_hide_nothing_else(openstack):
    """An attacker calls the slow steps normal: confirmed odd values stay, and fresh ones are found as before."""
    model, own, fresh = openstack
    slow = own["kind"].eq_missing("slow_step") & model._flags(own)["flagged"]
    canaries = own.filter((pl.col("kind") == "abnormal_value").any().over("session"))
    update = model.update(own.with_columns(learn=slow), canaries=canaries)
    assert slow.sum() >= 40
    assert update.accepted
    for kind, fall in (("abnormal_value", 0.005), ("slow_step", 0.05)):
        assert caught(update.model, fresh, kind) >= caught(model, fresh, kind) - fall > 0.8


def test_fifty_malicious_labels_at_one_step_hide_that_step_alone(openstack):
    """All of one sort and wild: an update is refused where a canary knows that step; elsewhere nothing changes."""
    model, *logs = openstack
    own, fresh = (each.with_columns(before=pl.col("key").shift(1).over("session")) for each in logs)
    slow = pl.col("kind").eq_missing("slow_step")
    key, before = own.filter(slow).group_by("key", "before").len().sort("len", "key").row(-1)[:2]
    step = (pl.col("key") == key) & pl.col("before").eq_missing(before)
    mine = step & ~slow & (step.cum_sum() <= 50)
    wild = own.with_columns(learn=mine, elapsed=pl.when(mine).then(1e4).otherwise("elapsed"))
    canaries = own.with_columns(anomalous=step & slow)
    refused, taken = model.update(wild, canaries=canaries), model.update(wild)
    assert (refused.accepted, taken.accepted) == (False, True)
    old, new = (each.errors(fresh).filter(~(fresh["key"] == key)) for each in (model, taken.model))
    assert_frame_equal(old, new, check_exact=True)
