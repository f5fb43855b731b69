"""What a person's answers are worth: false alarms and misses after so many labelled patterns, most frequent first.

The person answers truthfully: shown three sessions of a pattern, drawn at random, they say what most of them are. Truth
is read for the answers and for the counts; no bound comes from it. An answer that is learnt, not allowed only, has
passed the gate, for which the training sessions stand as the held-out normal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

import polars as pl

from deeplog_nb.frames import LABELS, TRUTH_SESSIONS, InputError, check
from deeplog_nb.models.update import Update
from deeplog_nb.verdicts.allowing import allow
from deeplog_nb.verdicts.learner import Learner

SHOWN: Final = 3  # sessions that a person looks at before they answer for a pattern
CURVE: Final = {
    "labels": pl.UInt32(),  # patterns that were answered
    "normal": pl.UInt32(),  # of them
    "tp": pl.UInt64(),
    "fp": pl.UInt64(),
    "fn": pl.UInt64(),
    "f1": pl.Float64(),
    "others_before": pl.Float64(),  # F1 on the sessions of patterns that nobody was asked about, before the answers
    "others": pl.Float64(),  # and after
}


@dataclass(frozen=True)
class Feedback:
    """The curve over labels (sessions as units, repeats counted), and what became of the models."""

    curve: pl.DataFrame  # CURVE; its last row is that of the updated models
    labels: pl.DataFrame  # LABELS, as far as they are needed
    update: Update[Learner]


def feedback(
    learner: Learner,
    test: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    normal: pl.DataFrame,
    most: int = 50,
    seed: int = 0,
) -> Feedback:
    """Judge the test SESSIONS, answer the ``most`` most frequent patterns, judge again.

    ``normal`` are the SESSIONS of the training part, which the gate watches.
    """
    if most < 1:
        raise InputError(f"most is {most}; at least one pattern must be answered")
    wrong = check(truth, TRUTH_SESSIONS, "truth").select("session", wrong="anomalous").unique()
    judged = learner.judge(test)
    told = _per_session(judged).join(wrong, on="session", maintain_order="left")
    labels = _answers(told, Random(seed)).head(most)
    flagged = judged.filter("anomalous")
    rows = [_row(labels.head(asked), told, _still(flagged, labels.head(asked))) for asked in range(len(labels) + 1)]
    update = learner.update(labels, holdout=normal)
    after = update.model.judge(test).filter("anomalous")["session"].unique()
    curve = pl.DataFrame([*rows, _row(labels, told, after)], schema=CURVE, orient="row")
    return Feedback(curve, labels, update)


def _per_session(judged: pl.DataFrame) -> pl.DataFrame:
    """``session, count, pattern, flagged, keys``; a session's pattern is null where nothing was flagged."""
    return judged.group_by("session", maintain_order=True).agg(
        pl.col("count").first().cast(pl.Int64),
        pattern=pl.col("session_pattern").drop_nulls().first(),
        flagged=pl.col("anomalous").any(),
        keys=pl.col("key").drop_nulls(),
    )


def _answers(told: pl.DataFrame, rng: Random) -> pl.DataFrame:
    """LABELS of all patterns, the most frequent first, as a truthful person would give them."""
    of_pattern = (
        told.filter("flagged").group_by("pattern", maintain_order=True).agg("session", "count", "wrong", "keys")
    )
    ordered = of_pattern.with_columns(often=pl.col("count").list.sum()).sort(
        "often", descending=True, maintain_order=True
    )
    rows = []
    for pattern, counts, wrong, keys in ordered.select("pattern", "count", "wrong", "keys").rows():
        shown = rng.choices(range(len(counts)), counts, k=SHOWN)
        verdict = "anomaly" if 2 * sum(wrong[at] for at in shown) > SHOWN else "normal"
        rows.append((pattern, verdict, keys[shown[0]]))
    schema = {name: LABELS[name] for name in ("pattern", "verdict", "keys")}
    named = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("id", 1)
    return named.with_columns(
        session=pl.format("pattern {}", "id"), position=pl.lit(None, pl.UInt32), hash=pl.col("id").cast(pl.String)
    )


def _still(flagged: pl.DataFrame, labels: pl.DataFrame) -> pl.Series:
    """The sessions that still have an alarm when what was called normal is allowed."""
    normal = labels.filter(pl.col("verdict") == "normal")["pattern"].to_list()
    return allow(flagged, normal).filter("anomalous")["session"].unique()


def _row(labels: pl.DataFrame, told: pl.DataFrame, alarms: pl.Series) -> tuple[object, ...]:
    now = told.with_columns(now=pl.col("session").is_in(alarms.implode()))
    asked = pl.col("pattern").is_in(labels["pattern"].implode()).fill_null(False)
    others = now.filter(~asked)
    tp, fp, fn = _counts(now, "now")
    normal = int((labels["verdict"] == "normal").sum())
    return (
        len(labels),
        normal,
        tp,
        fp,
        fn,
        _f1(tp, fp, fn),
        _f1(*_counts(others, "flagged")),
        _f1(*_counts(others, "now")),
    )


def _counts(rows: pl.DataFrame, flag: str) -> tuple[int, int, int]:
    said, wrong, count = pl.col(flag), pl.col("wrong"), pl.col("count")
    cells = rows.select(
        tp=(count * (said & wrong)).sum(), fp=(count * (said & ~wrong)).sum(), fn=(count * (~said & wrong)).sum()
    )
    tp, fp, fn = (int(value) for value in cells.row(0))
    return tp, fp, fn


def _f1(tp: int, fp: int, fn: int) -> float:
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else float("nan")
