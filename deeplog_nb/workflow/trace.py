"""Sessions painted over the tasks: of each entry the run of a task that it belongs to, and its step."""

from __future__ import annotations

import polars as pl

from deeplog_nb.sessions.windows import sequences
from deeplog_nb.workflow.replay import Placed, Tasks

PLACED = {"task": pl.UInt32(), "step": pl.UInt32(), "run": pl.UInt32(), "fits": pl.Boolean()}


def trace(tasks: Tasks, sessions: pl.DataFrame) -> pl.DataFrame:
    """The sessions with ``task, step, run, fits``; null where an entry is none of a task's.

    ``run`` counts a session's runs of tasks from 1. ``fits`` is false where no task allows the entry there; of the
    background it is null.
    """
    distinct = sequences(sessions)
    rows: list[tuple[int | None, int | None, int | None, bool | None]] = []
    sizes = distinct.lengths.tolist()
    ends = distinct.lengths.cumsum().tolist()
    for size, end in zip(sizes, ends, strict=True):
        rows += _told(tasks.replay(distinct.keys[end - size : end].tolist()))
    found = pl.DataFrame(rows, schema=PLACED, orient="row")
    number = pl.Series("sequence", [at for at, size in enumerate(sizes) for _ in range(size)], dtype=pl.UInt32)
    listed = found.with_columns(number).group_by("sequence", maintain_order=True).agg(*PLACED)
    own = sessions.select("session").unique(maintain_order=True).join(distinct.of_session, on="session")
    spread = own.join(listed, on="sequence", maintain_order="left").explode(*PLACED)
    order = sessions.with_row_index("_row").sort(pl.col("_row").first().over("session"), "_row")
    return order.with_columns(spread.select(*PLACED)).sort("_row").drop("_row")


def _told(placed: list[Placed | None]) -> list[tuple[int | None, int | None, int | None, bool | None]]:
    run, rows = 0, []
    for each in placed:
        run += each is not None and each.begins
        inside = each is not None and each.step
        rows.append(
            (
                each.here.task if each and inside else None,
                each.step if each and inside else None,
                run if inside else None,
                each.fits if each else None,
            )
        )
    return rows
