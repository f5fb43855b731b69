"""Which steps and edges of a workflow are drawn, and what is said of the others: nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.views.axes import counted, percent
from deeplog_nb.views.thinning import thinned
from deeplog_nb.workflow.way import Step, Taken, Way

MOST: Final = 150  # steps drawn, unless all are asked for


class Selection(NamedTuple):
    """STEPS and EDGES to draw, and the words on those that are not."""

    steps: pl.DataFrame
    edges: pl.DataFrame
    hidden: tuple[str, ...]
    listed: pl.DataFrame  # EDGES of the table: those drawn, and those left out only because they are too many to read


def select(
    steps: pl.DataFrame, edges: pl.DataFrame, way: Way | None, *, least: float, most: int | None = MOST
) -> Selection:
    """Without edges of a lower share than ``least``, and without what is farther from the finding than ``most`` steps.

    Of what is left, the edges that an eye can follow, unless ``most`` is None.
    What the session took is always shown, and the steps that should have come. Steps that only hidden
    edges reach are hidden with them.

    >>> steps = pl.DataFrame({"task": [1, 1, 1], "step": [0, 1, 2], "key": [None, 7, 8], "count": [500, 500, 1]})
    >>> edges = pl.DataFrame({"task": [1] * 3, "source": [0, 0, 1], "target": [1, 2, 0], "share": [0.998, 0.002, 1.0],
    ...                       "kind": ["next"] * 3, "count": [499, 1, 500]})
    >>> select(steps, edges, None, least=0.01).hidden
    ('1 of 3 edges hidden, under 1.0 %', '1 of 2 steps that only they reach')
    """
    taken = _frame(set(way.taken) | _ahead(steps, edges, way) if way else (), ("task", "source", "target"))
    own = _tasks(way) if way is not None and most is not None else steps["task"].unique().to_list()
    hidden = [_of(len(own), steps["task"].n_unique(), "task", ", those of this session, drawn")]
    hidden = [] if len(own) == steps["task"].n_unique() else hidden
    steps, edges = (frame.filter(pl.col("task").is_in(own)) for frame in (steps, edges))
    kept = edges.filter(pl.col("share") >= least)
    if len(taken):
        kept = edges.join(pl.concat([kept.select(taken.columns), taken]).unique(), on=taken.columns, how="semi")
    hidden.append(_of(len(edges) - len(kept), len(edges), "edge", f" hidden, under {percent(least)}"))
    reached = _reached(steps, kept, way)
    before, after = (len(frame.filter(pl.col("step") > 0)) for frame in (steps, reached))
    hidden.append(_of(before - after, before, "step", " that only they reach"))
    if most is not None and len(reached) > most:
        near = _near(reached, kept, way, most)
        hidden.append(
            f"{len(near):,} of {counted(len(reached), 'step')} nearest to the finding drawn, full=True draws all"
        )
        reached = near
    ends = [
        reached.select("task", pl.col("step").cast(pl.UInt32).alias(end)).vstack(
            reached.select(pl.col("task").unique(), pl.lit(0, pl.UInt32).alias(end))
        )
        for end in ("source", "target")
    ]
    for end in ends:
        kept = kept.join(end.unique(), on=end.columns, how="semi", maintain_order="left")
    drawn = kept if most is None else thinned(kept, taken.rows())
    if len(drawn) < len(kept):
        rest = f"; the other {len(kept) - len(drawn):,} are in the table, full=True draws all"
        hidden.append(_of(len(drawn), len(kept), "edge", f" drawn, the most frequent of each step{rest}"))
    return Selection(reached, drawn, tuple(filter(None, hidden)), kept)


def _tasks(way: Way) -> list[int]:
    return sorted({task for task, *_ in way.taken} | ({way.left[0]} if way.left else set()))


def _ahead(steps: pl.DataFrame, edges: pl.DataFrame, way: Way) -> set[Taken]:
    """The most frequent edge to each step of a key that should have come, in the task that the session left."""
    own, keys = pl.col("task") == (way.left[0] if way.left else 0), [each for each in way.expected if each]
    wanted = steps.filter(own, pl.col("key").is_in(keys)).select("task", target="step")
    leading = edges.filter(own, pl.col("kind") != "loop").join(wanted, on=["task", "target"], how="semi")
    frequent = leading.sort("count", descending=True, maintain_order=True).unique(["task", "target"], keep="first")
    return set(frequent.select("task", "source", "target").rows())


def _of(some: int, all_of_them: int, noun: str, rest: str) -> str:
    return f"{some:,} of {counted(all_of_them, noun)}{rest}" if some else ""


def _frame(rows: Iterable[tuple[int, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(sorted(rows), schema=dict.fromkeys(names, pl.UInt32), orient="row")


def _reached(steps: pl.DataFrame, edges: pl.DataFrame, way: Way | None) -> pl.DataFrame:
    """The steps to which edges lead from their task's begin, and those where the session was."""
    seen = _frame(_ways(edges), ("task", "step"))
    told = _frame({way.left} if way and way.left else set(), ("task", "step"))
    return steps.join(pl.concat([seen, told]).unique(), on=["task", "step"], how="semi", maintain_order="left")


def _ways(edges: pl.DataFrame) -> set[Step]:
    after: dict[Step, list[Step]] = {}
    for task, source, target in edges.select("task", "source", "target").rows():
        after.setdefault((task, source), []).append((task, target))
    waiting = [(task, 0) for task in edges["task"].unique()]
    seen = set(waiting)
    while waiting:
        fresh = [step for step in after.get(waiting.pop(), ()) if step not in seen]
        seen.update(fresh)
        waiting += fresh
    return seen


def _near(steps: pl.DataFrame, edges: pl.DataFrame, way: Way | None, most: int) -> pl.DataFrame:
    """The steps fewest edges away from where the session left or was last, else the most frequent."""
    hops = _hops(edges, way)
    ranked = steps.join(hops, on=["task", "step"], how="left", maintain_order="left").with_row_index("_row")
    order = ["hops", "task", "count"] if len(hops) else ["count", "task", "step"]
    down = [each == "count" for each in order]
    kept = ranked.sort(*order, descending=down, nulls_last=True, maintain_order=True).head(most)
    return kept.sort("_row").select(steps.columns)


def _hops(edges: pl.DataFrame, way: Way | None) -> pl.DataFrame:
    """How many edges each step is from the finding; empty where there is none."""
    beside: dict[Step, list[Step]] = {}
    for task, source, target in edges.select("task", "source", "target").rows():
        beside.setdefault((task, source), []).append((task, target))
        beside.setdefault((task, target), []).append((task, source))
    start = way.left or max(way.visits, key=lambda step: way.visits[step][-1], default=None) if way else None
    hops = {start: 0} if start else {}
    waiting = list(hops)
    for step in waiting:  # grows as it goes
        fresh = [each for each in beside.get(step, ()) if each not in hops]
        hops |= dict.fromkeys(fresh, hops[step] + 1)
        waiting += dict.fromkeys(fresh)
    rows = [(*step, far) for step, far in hops.items()]
    return pl.DataFrame(rows, schema={"task": pl.UInt32, "step": pl.UInt32, "hops": pl.UInt32}, orient="row")
