"""The rows of values and times: the value model, and robust z-scores beside it, where a data set has values at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import polars as pl

from deeplog_nb.evaluation.methods import Judged
from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.models.values import ValueModel
from deeplog_nb.models.zscore import ZScore
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.verdicts.value_metrics import false_alarms, judge_values, value_methods

CONFIDENCE: Final = 0.999  # the paper's widest line in Figure 9
HELD_OUT: Final = 0.25  # of the training sessions, to count false alarms on


def values(parts: Parts) -> Iterator[Judged]:
    """Each fitted to the training part alone; its bound states one false alarm in a thousand entries."""
    if parts.templates is None:
        return
    for method, setting, model in value_methods(ValueModel(confidence=CONFIDENCE)):
        yield _judged(parts, method, setting, model)


def stated(parts: Parts) -> pl.DataFrame | None:
    """Each bound's false alarms on normal sessions beside what it states: the last quarter of training, held out."""
    if parts.templates is None:
        return None
    train, fresh = holdout(parts.train, HELD_OUT, by="time")
    return false_alarms(ValueModel(confidence=CONFIDENCE).fit(train, templates=parts.templates), fresh)


def _judged(parts: Parts, method: str, setting: str, model: ValueModel | ZScore) -> Judged:
    began = time.perf_counter()
    model.fit(parts.train, templates=parts.templates)
    trained = time.perf_counter()
    verdicts = judge_values(parts.test, model.errors(parts.test), confidence=CONFIDENCE)
    done = time.perf_counter()
    source = f"confidence {CONFIDENCE} of held-out normal values and times"
    return Judged(method, setting, verdicts, source, train=trained - began, score=done - trained)
