"""The value model by itself: METRICS of its rules beside the robust z-score's, and false alarms beside what is stated.

Nothing here returns a bound; truth is read only by ``evaluate``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import RANKS, SESSIONS, check
from deeplog_nb.models.bounds import KINDS
from deeplog_nb.models.flags import beyond
from deeplog_nb.models.values import ValueModel
from deeplog_nb.models.zscore import ZScore
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy

_PLACE: Final = ("file", "line", "time")


def judge_values(sessions: pl.DataFrame, errors: pl.DataFrame, *, confidence: float = 0.999) -> pl.DataFrame:
    """VERDICTS by the rules ``timing`` and ``value`` alone, as if no key rule had anything to say.

    >>> sessions = pl.DataFrame({"session": ["a"], "position": [0], "key": [4], "count": [1], "open": [False]},
    ...     schema=SESSIONS)
    >>> from deeplog_nb.frames import ERRORS
    >>> told = {"session": ["a"], "position": [0], "tail": [1e-5], "worst": ["took"], "seen": [41.2], "expected": [3.1]}
    >>> errors = pl.DataFrame({name: [None] for name in ERRORS} | told, schema=ERRORS)
    >>> judge_values(sessions, errors).select("value", "why").row(0)
    (True, 'took 41.2, expected 3.1')
    """
    place = [name for name in _PLACE if name in sessions.columns]
    passed = check(sessions, SESSIONS, "sessions").select(
        *SESSIONS, *place, rank=pl.lit(1, RANKS["rank"]), probability=pl.lit(1.0, RANKS["probability"])
    )
    return judge(passed.select(*RANKS, *place), errors, policy=Policy(confidence=confidence))


def value_metrics(
    train: pl.DataFrame,
    suspect: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    templates: Templates | None = None,
    model: ValueModel | None = None,
) -> pl.DataFrame:
    """METRICS of ``suspect`` by a value model and two robust z-scores, each fitted to the normal sessions ``train``.

    ``model`` gives the settings. Settings: ``values``; of the z-scores ``z-score`` (by key, as usually done) and
    ``z-score by transition`` (by key and the key before it, as the value model has it).
    """
    asked, rows = model or ValueModel(), []
    for method, setting, each in value_methods(asked):
        errors = each.fit(train, templates=templates).errors(suspect)
        verdicts = judge_values(suspect, errors, confidence=asked.settings.confidence)
        rows.append(evaluate(verdicts, truth, method=method, setting=setting))
    return pl.concat(rows)


def value_methods(model: ValueModel) -> Iterator[tuple[str, str, ValueModel | ZScore]]:
    """Method, setting and unfitted model: one of the same settings, and the z-scores at its confidence."""
    confidence = model.settings.confidence
    yield "deeplog", "values", model.unfitted()
    yield "z-score", "by key", ZScore(confidence=confidence)
    yield "z-score", "by transition", ZScore(confidence=confidence, follow=True)


def false_alarms(
    model: ValueModel, normal: pl.DataFrame, *, confidences: Sequence[float] = (0.98, 0.99, 0.999)
) -> pl.DataFrame:
    """``bound, confidence, nominal, entries, alarms, rate``: what each bound states, and does on normal sessions.

    ``normal`` should be sessions that the model has not seen, not even held out: those have set its bounds.
    """
    rows = []
    for kind in KINDS:
        for confidence in confidences:
            errors = model.at(bound=kind, confidence=confidence).errors(normal).drop_nulls("tail")
            alarms = int(errors.select(beyond(pl.col("tail"), confidence).sum()).item())
            rows.append((kind, confidence, 1 - confidence, len(errors), alarms, alarms / max(len(errors), 1)))
    names = ("bound", "confidence", "nominal", "entries", "alarms", "rate")
    return pl.DataFrame(rows, schema=names, orient="row")
