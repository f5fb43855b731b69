"""Precision, recall and F1 at every possible bound on the session score: for looking at, not for choosing by.

Whoever takes the best row has chosen on test, and each row says so.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import TRUTH_SESSIONS, VERDICTS, InputError, check

LABEL: Final = "chosen on test"


def score_curve(verdicts: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """``bound, tp, fp, fn, precision, recall, f1, label``: sessions that score at least the bound are flagged.

    A session's score is its worst row's. The label is :data:`LABEL` in every row.

    >>> rows = {"session": ["a", "b"], "score": [3.0, 1.0], "count": [1, 9]}
    >>> schema = {name: VERDICTS[name] for name in rows}
    >>> judged = pl.DataFrame(rows, schema=schema).with_columns(
    ...     pl.lit(None, kind).alias(name) for name, kind in VERDICTS.items() if name not in rows)
    >>> truth = pl.DataFrame({"session": ["a", "b"], "anomalous": [True, False]})
    >>> score_curve(judged, truth).select("bound", "tp", "fp", "label").rows()
    [(3.0, 1, 0, 'chosen on test'), (1.0, 1, 9, 'chosen on test')]
    """
    worst = (
        check(verdicts, VERDICTS, "verdicts")
        .drop_nulls("session")
        .group_by("session")
        .agg(pl.col("score").max().fill_null(0.0), pl.col("count").first().cast(pl.Int64))
        .join(check(truth, TRUTH_SESSIONS, "truth"), on="session", how="left")
    )
    if missing := worst["anomalous"].null_count():
        raise InputError(f"truth says nothing about {missing} of the {len(worst)} judged sessions")
    wrong = pl.col("count") * pl.col("anomalous")
    at_bound = worst.group_by("score").agg(wrong=wrong.sum(), all=pl.col("count").sum())
    return (
        at_bound.sort("score", descending=True)
        .select(
            bound="score",
            tp=pl.col("wrong").cum_sum(),
            fp=(pl.col("all") - pl.col("wrong")).cum_sum(),
            fn=pl.col("wrong").sum() - pl.col("wrong").cum_sum(),
        )
        .with_columns(
            precision=pl.col("tp") / (pl.col("tp") + pl.col("fp")),
            recall=pl.col("tp") / (pl.col("tp") + pl.col("fn")),
            f1=2 * pl.col("tp") / (2 * pl.col("tp") + pl.col("fp") + pl.col("fn")),
            label=pl.lit(LABEL),
        )
    )
