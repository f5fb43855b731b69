"""The table of all methods: what is in it, and what the truth cannot reach."""

import argparse
import json
import math
from dataclasses import replace
from functools import partial

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.baselines.tfidf import TfidfLSTM
from deeplog_nb.evaluation import methods
from deeplog_nb.evaluation.bgl import bgl
from deeplog_nb.evaluation.command import add_options, texts
from deeplog_nb.evaluation.hdfs import hdfs
from deeplog_nb.evaluation.loghub import accuracy
from deeplog_nb.evaluation.methods import SIMPLE, baselines, deeplog
from deeplog_nb.evaluation.parts import Parts, numbered, public, truth_of
from deeplog_nb.evaluation.sweep import LAYERS, sweep, sweep_text
from deeplog_nb.evaluation.table import table
from deeplog_nb.evaluation.text import as_json, as_text, grid
from deeplog_nb.frames import METRICS, InputError
from deeplog_nb.models.keys import KeySettings
from deeplog_nb.models.training import Training
from deeplog_nb.verdicts.deeplog import PAPER, Setting

NORMAL = [[1, 2, 3, 4]] * 30 + [[1, 2, 5, 3, 4]] * 15 + [[1, 3, 2, 4]] * 10
ABNORMAL = [[1, 2], [1, 9, 4], [1, 2, 3, 4, 4], [4, 3, 2, 1]]


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Small models: what is in the table does not depend on their size."""

    def small(seed):
        training = Training(epochs=3, draws=128, device="cpu", seed=seed)
        return Setting(KeySettings(history=2, layers=1, units=8, training=training), folds=2)

    def theirs(seed, **changed):
        return replace(small(seed), policy=PAPER, ending=False, counts=False, stop=0.1, folds=2 + sum(changed.values()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setting, "best", small)
        patch.setattr(Setting, "paper", theirs)
        patch.setattr(methods, "TfidfLSTM", partial(TfidfLSTM, units=8, training=small(0).keys.training))
        yield


@pytest.fixture(scope="module")
def parts() -> Parts:
    train, normal, abnormal = (
        numbered(pl.DataFrame({"sequence": sequences}), name)
        for sequences, name in ((NORMAL, "train"), (NORMAL[::5], "normal"), (ABNORMAL, "abnormal"))
    )
    first = abnormal.filter(pl.col("session").is_in(["abnormal0", "abnormal1"]))
    test = pl.concat([normal, abnormal])
    return Parts("toy", "task", "made up", train, test, truth_of(normal, abnormal), first)


@pytest.fixture(scope="module")
def found(parts, quick):
    return table(parts, seeds=2)


def test_every_method_has_a_row_in_every_unit(found):
    """All methods, both settings of DeepLog by each seed, each part of best left out; METRICS and what they rest on."""
    assert set(found.rows["method"]) == {*SIMPLE, "tfidf", "deeplog"}
    assert set(found.rows["unit"]) == {"session", "distinct", "longer", "hard"}
    ours = found.rows.filter(method="deeplog", unit="session")
    assert ours.group_by("setting").len().filter(pl.col("len") != 2)["setting"].to_list() == ["best with swaps"]
    assert {*METRICS, "seed", "source", "train", "score"} == set(found.rows.columns)
    assert found.rows["source"].str.len_chars().min() > 10


def test_the_supervised_method_is_not_judged_on_what_it_was_shown(found):
    """Two of the four abnormal sessions trained it, so two are left to find."""
    row = found.rows.filter(method="tfidf", unit="session").row(0, named=True)
    assert row["tp"] + row["fn"] == 2


def test_permuted_test_labels_change_no_verdict_and_no_threshold(parts):
    """The truth turned upside down: every method's verdicts and sources are those of before."""
    other = replace(parts, truth=parts.truth.with_columns(~pl.col("anomalous")))
    for one, two in zip([*baselines(parts), *deeplog(parts, 0)], [*baselines(other), *deeplog(other, 0)], strict=True):
        assert (one.method, one.setting, one.source) == (two.method, two.setting, two.source)
        assert_frame_equal(one.verdicts, two.verdicts, check_exact=True)


def test_the_object_is_what_machines_were_promised(found):
    """dataset, rows, seconds and topg; whatever is not a number is null, so that it is JSON."""
    told = json.loads(json.dumps(as_json(found), allow_nan=False))
    assert {"dataset", "rows", "seconds", "topg"} <= told.keys()
    assert set(told["seconds"]) == {"train", "score"}
    assert len(told["topg"]) == len(told["topg_published"]) == 11
    assert told["topg"] == sorted(told["topg"])


def test_the_text_names_units_methods_and_sources(found):
    """A person finds the unit, the split, each setting and where thresholds come from."""
    text = as_text(found)
    for words in ("unit: distinct", "made up", "best without counts", "thresholds come from", "cut", "held-out normal"):
        assert words in text


def test_columns_of_numbers_stand_to_the_right():
    """And missing ones are a dash."""
    assert grid(["a", "b"], [["x", None], ["y", 1.0]]) == ["a      b", "x      -", "y  1.000"]


def test_a_sweep_is_shown_beside_the_paper():
    """Each value with the figure's F."""
    row = {"parameter": "layers", "value": 2, "precision": 0.9, "recall": 0.9, "f1": 0.9, "published": LAYERS[2]}
    assert "0.954" in sweep_text(pl.DataFrame([row]))


def test_a_sweep_trains_each_value_as_the_papers_setting(parts):
    """The row of g = 9 is what the setting itself gives, held-out stop included; a row a value, whatever the seeds."""
    rows = sweep(parts, seeds=2)
    assert rows["parameter"].value_counts(sort=True).rows() == [("g", 6), ("history", 6), ("layers", 5), ("units", 5)]
    found = [
        methods_rows(judged, parts) for seed in (0, 1) for judged in deeplog(parts, seed) if judged.setting == "paper"
    ]
    scores = pl.concat(found).filter(unit="session")["f1"]
    nine = rows.row(by_predicate=(pl.col("parameter") == "g") & (pl.col("value") == 9), named=True)
    assert (nine["f1"], nine["low"], nine["high"]) == pytest.approx((scores.mean(), scores.min(), scores.max()))


def test_grouping_accuracy_counts_lines_in_groups_that_are_exactly_right():
    """A split group is wrong as a whole; so is a merged one."""
    assert accuracy(pl.Series([1, 1, 2]), pl.Series(["a", "a", "b"])) == {"ga": 1.0, "fga": 1.0}
    assert accuracy(pl.Series([1, 1, 1]), pl.Series(["a", "a", "b"])) == {"ga": 0.0, "fga": 0.0}


def test_a_data_folder_that_is_not_named_is_said(monkeypatch):
    """The message names the variable."""
    monkeypatch.delenv("DEEPLOG_NB_DATA", raising=False)
    with pytest.raises(InputError, match="DEEPLOG_NB_DATA is not set"):
        public("hdfs")
    monkeypatch.setenv("DEEPLOG_NB_DATA", "/nowhere")
    with pytest.raises(InputError, match="is not there"):
        public("hdfs")


def test_published_figures_come_out_exactly(data):
    """The paper's N-gram errors (1,360 and 739), STIDE's 2-grams, unseen keys: on all 570,204 sessions."""
    data("hdfs/train_normal.parquet")
    parts = replace(hdfs(), abnormal=None)
    rows = pl.concat(
        methods_rows(judged, parts) for judged in baselines(parts) if judged.method in ("ngram", "bigram", "unseen")
    )
    errors = {row["method"]: (row["fp"], row["fn"]) for row in rows.filter(unit="session").to_dicts()}
    assert errors == {"ngram": (1360, 739), "bigram": (795, 3738), "unseen": (234, 8930)}
    hard = rows.filter(method="unseen", unit="hard").row(0, named=True)
    assert hard["fn"] == 2753


def methods_rows(judged, parts):
    from deeplog_nb.verdicts.evaluate import evaluate
    from deeplog_nb.verdicts.units import session_units

    return evaluate(judged.verdicts, parts.truth, method=judged.method, units=session_units(parts.test, parts.train))


def test_a_stream_is_counted_by_entry(data):
    """Blue Gene/L from raw lines: unit entry, and the end of the file is no end of a task."""
    data("bgl/bgl_lines_000001_060000.log.gz")
    found = table(bgl())
    assert found.rows["unit"].unique().to_list() == ["entry"]
    best = found.rows.filter(setting="best").row(0, named=True)
    assert best["tp"] + best["fn"] == 2327
    assert not math.isnan(best["recall"])


def test_the_command_prints_the_parser_table(data):
    """`evaluate loghub` needs no training."""
    data("loghub_2k")
    command = argparse.ArgumentParser()
    command.add_argument("--json", action="store_true")
    add_options(command)
    (text,) = texts(command.parse_args(["loghub", "--json"]), print)
    told = json.loads(text)
    found = {row["system"]: (row["ga"], row["ga_corrected"]) for row in told["rows"]}
    assert len(found) == 11
    assert min(found["HDFS"]) > 0.99
    assert min(found["mean"]) > 0.95
