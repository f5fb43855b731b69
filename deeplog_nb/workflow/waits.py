"""How long each edge of a task takes, from the times of the sessions that its runs were cut from."""

from __future__ import annotations

import numpy as np
import polars as pl

from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.learning import Learnt
from deeplog_nb.workflow.runs import Runs

LATE = 0.99  # the share of the waits that the upper end of an edge's usual range covers
_EDGE = ("task", "source", "target")


def seconds(sessions: pl.DataFrame) -> pl.DataFrame:
    """``session, position, second``: when each entry came, null where the sessions do not say.

    >>> rows = pl.DataFrame({"session": ["a", "a"], "position": [0, 1], "elapsed": [None, 2.5]})
    >>> seconds(rows)["second"].to_list()
    [0.0, 2.5]
    """
    if "time" in sessions.columns:
        second = (pl.col("time") - pl.col("time").min()).dt.total_microseconds() / 1e6
    elif "elapsed" in sessions.columns:
        second = pl.col("elapsed").fill_null(0).cum_sum().over("session")
    else:
        second = pl.lit(None, pl.Float64)
    return sessions.select("session", pl.col("position").cast(pl.UInt32), second=second)


def waits(
    found: Runs, tasks: dict[int, Learnt], places: Ints, rows: Ints, of_session: pl.DataFrame, times: pl.DataFrame
) -> pl.DataFrame:
    """``task, source, target, median_elapsed, p99_elapsed`` of the edges between two steps.

    ``places`` and ``rows`` are each entry's place in its sequence, and the sequence.
    """
    empty = {"task": pl.UInt32, "source": pl.UInt32, "target": pl.UInt32}
    if times["second"].is_null().all():
        return pl.DataFrame(schema=empty | {"median_elapsed": pl.Float64, "p99_elapsed": pl.Float64})
    gone = pl.concat([pl.DataFrame(schema=_GONE), *_gone(found, tasks, places, rows)])
    elapsed = (pl.col("second_right") - pl.col("second")).round(6)
    return (
        gone.join(of_session, on="sequence")
        .join(times, left_on=["session", "first"], right_on=["session", "position"])
        .join(times, left_on=["session", "last"], right_on=["session", "position"])
        .group_by(_EDGE)
        .agg(median_elapsed=elapsed.median(), p99_elapsed=elapsed.quantile(LATE, "higher"))
    )


_GONE = dict.fromkeys((*_EDGE, "sequence", "first", "last"), pl.UInt32)


def _gone(found: Runs, tasks: dict[int, Learnt], places: Ints, rows: Ints) -> list[pl.DataFrame]:
    """Every edge that a run of the distinct sequences went: the sequence, and the positions of both its entries."""
    own = {kind: iter(learnt.gone) for kind, learnt in tasks.items()}
    number = {kind: at for at, kind in enumerate(tasks, 1)}
    order = np.argsort(found.of_run, kind="stable")
    bounds = np.searchsorted(found.of_run[order], np.arange(len(found.variants) + 1))
    parts = []
    for variant, kind in enumerate(found.types.tolist()):
        edges = np.array(next(own[kind]) if kind in own else (), np.int64).reshape(-1, 4)
        if len(edges):
            begins = found.begins[order[bounds[variant] : bounds[variant + 1]]][:, None]
            first, last = places[begins + edges[:, 2]], places[begins + edges[:, 3]]
            shape = first.shape
            columns = [np.full(shape, number[kind]), *np.broadcast_arrays(edges[:, 0], edges[:, 1], first)[:2]]
            columns += [np.broadcast_to(rows[begins], shape), first, last]
            parts.append(
                pl.DataFrame({name: each.ravel() for name, each in zip(_GONE, columns, strict=True)}, schema=_GONE)
            )
    return parts
