"""What a detector finds of mutants, kind by kind: detection power without a single label."""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import TRUTH_SESSIONS, VERDICTS, check

_KIND = TRUTH_SESSIONS | {"kind": pl.String()}


def detection_power(verdicts: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """``kind, mutants, caught``: how many of each kind there are, and the share of them with an alarm.

    ``truth`` is that of :func:`mutants`, or of any log whose anomalies have a kind.

    >>> truth = pl.DataFrame({"session": ["a", "b"], "anomalous": [True, True], "kind": ["cut", "cut"]})
    >>> rows = {"session": ["a", "b"], "anomalous": [True, False]}
    >>> judged = pl.DataFrame(rows).with_columns(
    ...     pl.lit(None, kind).alias(name) for name, kind in VERDICTS.items() if name not in rows)
    >>> detection_power(judged, truth).rows()
    [('cut', 2, 0.5)]
    """
    flagged = check(verdicts, VERDICTS, "verdicts").group_by("session").agg(pl.col("anomalous").any().alias("caught"))
    return (
        check(truth, _KIND, "truth")
        .filter("anomalous")
        .join(flagged, on="session", how="left", maintain_order="left")
        .group_by("kind", maintain_order=True)
        .agg(mutants=pl.len(), caught=pl.col("caught").fill_null(False).mean())
    )
