"""VERDICTS against truth -> METRICS, each row with the unit that it counts.

Truth is only ever read here: nothing in this module returns a bound or a policy.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import METRICS, TRUTH_SESSIONS, UNITS, VERDICTS, InputError, check
from deeplog_nb.verdicts.bootstrap import f1_interval
from deeplog_nb.verdicts.units import units_of

_LINES: Final = {"file": pl.Categorical(), "line": pl.UInt64(), "anomalous": pl.Boolean()}


def evaluate(
    verdicts: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    method: str = "deeplog",
    setting: str = "",
    history: int = 10,
    units: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """METRICS of these verdicts, a row for each unit that the truth allows.

    Truth by ``session, anomalous``: units ``session`` (every session, repeats counted), ``distinct`` (each
    key sequence once), ``longer`` (sessions of more than ``history`` keys), ``hard`` (longer ones without an
    unseen key). Truth by ``file, line, anomalous``: unit ``entry``, end rows not counted.

    ``units`` are those of :func:`units`; verdicts of whole sessions need them, and only they can say what
    recurs from training. The interval is a bootstrap over distinct sequences, for repeats prove nothing twice.

    >>> truth = pl.DataFrame({"session": ["a"], "anomalous": [True]})
    >>> from deeplog_nb.verdicts.judge import judge
    >>> from deeplog_nb.verdicts.policy import Policy
    >>> from deeplog_nb.frames import RANKS
    >>> ranks = pl.DataFrame({"session": ["a"], "position": [0], "key": [4], "count": [3], "open": [False],
    ...     "rank": [12], "probability": [0.01]}, schema_overrides=dict(RANKS))
    >>> evaluate(judge(ranks, policy=Policy(g=9)), truth).select("unit", "tp", "recall").rows()
    [('session', 3, 1.0), ('distinct', 1, 1.0), ('longer', 0, nan), ('hard', 0, nan)]
    """
    checked = check(verdicts, VERDICTS, "verdicts")
    if "line" in truth.columns and "session" not in truth.columns:
        counted = {"entry": _entries(checked, check(truth, _LINES, "truth"))}
    else:
        counted = _sessions(checked, check(truth, TRUTH_SESSIONS, "truth"), history, units)
    rows = [_metrics(unit, rows) for unit, rows in counted.items()]
    named = pl.concat(rows).with_columns(method=pl.lit(method), setting=pl.lit(setting))
    return check(named.select(pl.col(name).cast(kind) for name, kind in METRICS.items()), METRICS, "metrics")


def _sessions(
    verdicts: pl.DataFrame, truth: pl.DataFrame, history: int, units: pl.DataFrame | None
) -> dict[str, pl.DataFrame]:
    flagged = verdicts.drop_nulls("session").group_by("session").agg(flagged=pl.col("anomalous").any())
    told = truth.select("session", "anomalous").unique()
    if twice := int(told["session"].is_duplicated().sum()):
        raise InputError(f"truth contradicts itself: {twice // 2} sessions are both normal and anomalous")
    known = (
        (units_of(verdicts, history) if units is None else check(units, UNITS, "units"))
        .join(flagged, on="session", maintain_order="left")
        .join(told, on="session", how="left", maintain_order="left")
    )
    if missing := known["anomalous"].null_count():
        raise InputError(f"truth says nothing about {missing} of the {len(known)} judged sessions")
    once = known.group_by("sequence", "anomalous").agg(
        pl.col("flagged").any(), pl.col("recurring").any(ignore_nulls=False), count=pl.lit(1, pl.UInt32)
    )
    return {"session": known, "distinct": once, "longer": known.filter("longer"), "hard": known.filter("hard")}


def _entries(verdicts: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Each line once, however many sessions it is in."""
    entries = (
        verdicts.filter(pl.col("key").is_not_null())
        .group_by("file", "line", maintain_order=True)
        .agg(flagged=pl.col("anomalous").any(), count=pl.col("count").max())
    )
    labelled = truth.group_by("file", "line").agg(pl.col("anomalous").any())
    if lost := labelled.filter("anomalous").join(entries, on=["file", "line"], how="anti").height:
        raise InputError(f"{lost} anomalous lines of the truth are none of the judged ones; do the file names agree?")
    return entries.join(labelled, on=["file", "line"], how="left", maintain_order="left").with_columns(
        pl.col("anomalous").fill_null(False), sequence=pl.int_range(pl.len()), recurring=pl.lit(None, pl.Boolean)
    )


def _metrics(unit: str, rows: pl.DataFrame) -> pl.DataFrame:
    flagged, wrong, count = pl.col("flagged"), pl.col("anomalous"), pl.col("count").cast(pl.Int64)
    cells = rows.select(
        "sequence",
        tp=count * (flagged & wrong),
        fp=count * (flagged & ~wrong),
        fn=count * (~flagged & wrong),
        tn=count * (~flagged & ~wrong),
    )
    low, high = f1_interval(cells)
    return cells.select(pl.col("tp", "fp", "fn", "tn").sum()).with_columns(
        unit=pl.lit(unit),
        precision=pl.col("tp") / (pl.col("tp") + pl.col("fp")),
        recall=pl.col("tp") / (pl.col("tp") + pl.col("fn")),
        f1=2 * pl.col("tp") / (2 * pl.col("tp") + pl.col("fp") + pl.col("fn")),
        specificity=pl.col("tn") / (pl.col("tn") + pl.col("fp")),
        alarms_per_million=1e6 * (pl.col("tp") + pl.col("fp")) / pl.sum_horizontal("tp", "fp", "fn", "tn"),
        f1_low=pl.lit(low),
        f1_high=pl.lit(high),
        recurring=pl.lit(_recurring(rows), pl.Float64),
    )


def _recurring(rows: pl.DataFrame) -> float | None:
    """Share of the judged, by count, whose key sequence is one of training's."""
    if rows.is_empty() or rows["recurring"].null_count():
        return None
    again, count = pl.col("recurring"), pl.col("count").cast(pl.Int64)
    return float(rows.select((count * again).sum() / count.sum()).item())
