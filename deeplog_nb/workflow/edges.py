"""The tasks as frames: STEPS and EDGES."""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import EDGES, STEPS, check
from deeplog_nb.workflow.automaton import Task
from deeplog_nb.workflow.learning import Learnt
from deeplog_nb.workflow.order import Pair


def steps_frame(tasks: list[Learnt]) -> pl.DataFrame:
    """STEPS of these tasks, numbered from 1."""
    rows = [
        (number, step, key, count)
        for number, learnt in enumerate(tasks, 1)
        for step, (key, count) in enumerate([(None, learnt.size), *zip(learnt.task.keys, learnt.counts, strict=True)])
    ]
    return check(pl.DataFrame(rows, schema=dict(STEPS), orient="row"), STEPS, "steps")


def edges_frame(tasks: list[Learnt], waits: pl.DataFrame) -> pl.DataFrame:
    """EDGES of these tasks; ``share`` is of the runs that were at the source: beyond a fork all of them go on twice."""
    rows = [
        (number, *edge, kind_of(edge, learnt.task, learnt.edges), count, count / learnt.visits[edge[0]])
        for number, learnt in enumerate(tasks, 1)
        for edge, count in sorted(learnt.edges.items())
    ]
    schema = {name: EDGES[name] for name in ("task", "source", "target", "kind", "count", "share")}
    found = pl.DataFrame(rows, schema=schema, orient="row")
    joined = found.join(waits, on=["task", "source", "target"], how="left", maintain_order="left")
    return check(joined.select(*EDGES), EDGES, "edges")


def kind_of(edge: Pair, task: Task, edges: dict[Pair, int]) -> str:
    """Whether an edge is a loop, a begin or an end of concurrent threads, one of several branches, or the next step."""
    source, target = edge
    if edge in task.loops:
        return "loop"
    ahead = [other for own, other in edges if own == source and (own, other) not in task.loops]
    behind = [own for own, other in edges if other == target and (own, other) not in task.loops]
    together = task.order.together
    if any((target, each) in together for each in ahead) or any((source, each) in together for each in behind):
        return "parallel"
    return "branch" if len(ahead) > 1 else "next"
