"""The value model by itself: METRICS of its rules beside the robust z-score's, and false alarms beside what is stated.

Nothing here returns a bound; truth is read only by ``evaluate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import RANKS, SESSIONS, check
from deeplog_nb.models.bounds import KINDS
from deeplog_nb.models.values import ValueModel
from deeplog_nb.models.zscore import ZScore
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.verdicts.values import beyond

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
    values = (model.unfitted() if model else ValueModel()).fit(train, templates=templates)
    confidence = values.settings.confidence
    rivals: dict[tuple[str, str], ValueModel | ZScore] = {
        ("deeplog", "values"): values,
        ("z-score", "by key"): ZScore(confidence=confidence).fit(train, templates=templates),
        ("z-score", "by transition"): ZScore(confidence=confidence, follow=True).fit(train, templates=templates),
    }
    rows = [
        evaluate(
            judge_values(suspect, each.errors(suspect), confidence=confidence), truth, method=method, setting=setting
        )
        for (method, setting), each in rivals.items()
    ]
    return pl.concat(rows)


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
