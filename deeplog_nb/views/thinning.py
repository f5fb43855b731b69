"""Of a task with more lines than an eye can follow, the edges that are drawn: the most frequent, no step cut off.

Which edges are too rare to be drawn at all is said in ``selection``; edges that make one line count once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import polars as pl

from deeplog_nb.views.edges import Bundle, Edge
from deeplog_nb.views.groups import bundled, groups

PER_STEP: Final = 2  # lines for each step of a task, beyond which they cannot be told apart
FEW: Final = 40  # so many lines are never too many
ENDS: Final = ("task", "source", "target")


def thinned(edges: pl.DataFrame, taken: Collection[tuple[int, int, int]] = ()) -> pl.DataFrame:
    """The EDGES to draw, in their order; of a task with few enough, all; what was ``taken`` in any case.

    Of others, those on the most frequent ways from the begin to each step and from there to the end, then the
    most frequent, 2 for each step, or more where it takes more to reach all.

    >>> pairs = [(source, target) for source in range(10) for target in range(10) if source + target]
    >>> rows = [(1, *ends, "branch", 9) for ends in pairs]
    >>> len(rows), len(thinned(pl.DataFrame(rows, schema=[*ENDS, "kind", "count"], orient="row")))
    (99, 40)
    """
    kept = [each for part in edges.partition_by("task", maintain_order=True) for each in _kept(part)]
    rows = pl.DataFrame([*kept, *taken], schema={name: edges.schema[name] for name in ENDS}, orient="row")
    return edges.join(rows.unique(), on=ENDS, how="semi", maintain_order="left")


def _kept(part: pl.DataFrame) -> list[tuple[int, int, int]]:
    """The ends of the edges of one task that are drawn."""
    task, end = part["task"][0], 1 + max(part["source"].to_list() + part["target"].to_list())
    rows = part.select("source", "target", pl.col("kind").cast(pl.String), "count").rows()
    edges = [Edge(source, target or end, kind, times, 1.0, None) for source, target, kind, times in rows]
    steps = sorted({each for edge in edges for each in edge[:2]} - {0, end})
    home = {step: end + at for at, held in enumerate(groups(edges, steps), 1) for step in held}
    lines = sorted(bundled(edges, home), key=lambda line: -line.times)
    most = max(FEW, PER_STEP * len(steps))
    if len(lines) > most:
        edges = [edge for line in _most_frequent(lines, end, most) for edge in line.edges]
    return [(task, edge.source, 0 if edge.target == end else edge.target) for edge in edges]


def _most_frequent(lines: Sequence[Bundle], end: int, most: int) -> list[Bundle]:
    """Of lines, the most frequent first, at most so many, unless it takes more to reach every step and to leave it."""
    ways = [
        *_tree(lines, 0, lambda line: (line.source, line.target)),
        *_tree(lines, end, lambda line: (line.target, line.source)),
    ]
    return list(dict.fromkeys([*ways, *lines]))[: max(most, len(set(ways)))]


def _tree(lines: Sequence[Bundle], root: int, ends: Callable[[Bundle], tuple[int, int]]) -> list[Bundle]:
    """For each step that can be reached from the root, the most frequent line to it from what was reached before.

    A line that leads back is such a way only where no other is.
    """
    reached, onward = {root}, sorted(lines, key=lambda line: line.back)
    found: list[Bundle] = []
    while True:
        fresh = (line for line in onward if ends(line)[0] in reached and ends(line)[1] not in reached)
        line = next(fresh, None)
        if line is None:
            return found
        reached.add(ends(line)[1])
        found.append(line)
