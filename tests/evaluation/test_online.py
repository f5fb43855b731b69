"""The online experiment: every method with every person, and the promise that an update keeps."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from deeplog_nb.data import make_bgl
from deeplog_nb.evaluation import online as experiment
from deeplog_nb.evaluation import prequential
from deeplog_nb.evaluation.online import PUBLISHED, SETTINGS, compared, online_text
from deeplog_nb.evaluation.stream import generated_lines, stream
from deeplog_nb.models.training import Training


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """A small log and a small network: what is in the table does not depend on their size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "SETTINGS", replace(SETTINGS, units=16, training=Training(epochs=8)))
        patch.setattr(prequential, "BUDGETS", (10,))
        log = generated_lines(make_bgl(2, lines=6000))
        return pl.DataFrame([*experiment._published(), *compared("seed 2", 0.1, stream(log, 0.1))])


def test_the_setting_is_the_papers() -> None:
    """One layer of 256 units, h = 3, g = 6 (5.3.2), 1 % and 10 %."""
    assert (SETTINGS.layers, SETTINGS.units, SETTINGS.history, experiment.G) == (1, 256, 3, 6)
    assert experiment.SHARES == (0.01, 0.1)


def test_every_method_has_a_row_for_every_person(rows: pl.DataFrame) -> None:
    """Four methods, no answers, all answered and each budget; each says what it took."""
    ours = rows.filter(log="seed 2")
    assert ours.group_by("method").len()["len"].to_list() == [3] * 4
    assert ours.filter(answers="10 answers")["labels"].max() == 10
    assert ours.null_count().sum_horizontal().item() == 0


def test_all_answered_doubles_the_precision_and_keeps_the_recall(rows: pl.DataFrame) -> None:
    """The key model, against itself without answers: precision twice as high or more, recall at most a point lower."""
    none, answered = (
        rows.filter(log="seed 2", method="lstm", answers=who).to_dicts()[0] for who in ("none", "all answered")
    )
    assert answered["precision"] >= 2 * none["precision"]
    assert answered["recall"] >= none["recall"] - 0.01


def test_the_text_stands_beside_the_paper(rows: pl.DataFrame) -> None:
    """Its four rows first, and what the figures mean."""
    text = online_text(rows)
    assert len(PUBLISHED) == rows.filter(log="paper").height
    for words in ("0.401", "all answered", "over all judged entries", "unseen key"):
        assert words in text
