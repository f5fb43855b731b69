"""Which task comes behind which, counted in the sessions that the tasks were learnt from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from deeplog_nb.workflow.entries import Entries
from deeplog_nb.workflow.runs import Runs

FOLLOWING = {"task": pl.UInt32(), "next": pl.UInt32(), "count": pl.UInt64(), "share": pl.Float64()}


def following(found: Runs, entries: Entries, numbers: Mapping[int, int]) -> pl.DataFrame:
    """``task, next, count, share``: 0 is the session's begin as a task, and its end as the next one.

    ``numbers`` are those of the types that are tasks; runs of other types are passed over.
    """
    kinds = found.types[found.of_run]
    own = np.array([numbers.get(kind, 0) for kind in range(int(kinds.max(initial=0)) + 1)])[kinds]
    kept = own > 0
    rows, tasks, weights = entries.rows[found.begins][kept], own[kept], found.weights[kept]
    frame = pl.DataFrame({"row": rows, "task": tasks, "count": weights})
    before = frame.select(task=pl.col("task").shift(1, fill_value=0).over("row"), next="task", count="count")
    ends = frame.group_by("row", maintain_order=True).last().select("task", next=pl.lit(0, pl.Int64), count="count")
    counted = pl.concat([before, ends]).group_by("task", "next").agg(pl.col("count").sum())
    share = pl.col("count") / pl.col("count").sum().over("task")
    return counted.with_columns(share=share).sort("task", "next").cast(FOLLOWING)  # type: ignore[arg-type]
