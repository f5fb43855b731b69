"""Spell: templates out of messages, by longest common subsequence (Du & Li, ICDM 2016), over distinct shapes.

The published algorithm takes one line after another. Ours takes each distinct *shape* (a message with its
values masked) once, in the order of first appearance; the parsing of lines is then a join. What Spell's
journal version calls *splitting* follows: a wildcard that stands for only a few words is part of the
message (``VM Started``, ``VM Paused``), not a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import polars as pl

from deeplog_nb.events.align import beginning, merge
from deeplog_nb.events.cluster import cluster
from deeplog_nb.events.masks import messages, shape
from deeplog_nb.events.split import split
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import Frame, InputError, batch_by_batch, check

NEEDED = {"line": pl.UInt64(), "message": pl.String()}


@dataclass(frozen=True)
class Spell:
    """The miner and its two settings.

    >>> lines = pl.DataFrame({"message": ["Took 1.5 s", "Took 20 s", "VM Started", "VM Paused"]})
    >>> Spell().fit(lines).frame.select("key", "template", "count")
    shape: (3, 3)
    ┌─────┬────────────┬───────┐
    │ key ┆ template   ┆ count │
    │ --- ┆ ---        ┆ ---   │
    │ u32 ┆ str        ┆ u64   │
    ╞═════╪════════════╪═══════╡
    │ 1   ┆ Took <*> s ┆ 2     │
    │ 2   ┆ VM Started ┆ 1     │
    │ 3   ┆ VM Paused  ┆ 1     │
    └─────┴────────────┴───────┘
    """

    tau: float = 0.7  # share of the words (of shape and of template) that must be common to both
    split: int = 4  # a wildcard with at most so many different texts is no wildcard (no more are in LogHub); 0 never

    def __post_init__(self) -> None:
        if not 0 < self.tau <= 1 or self.split < 0 or self.split != int(self.split):
            raise InputError(f"tau is {self.tau}, split {self.split}; 0 < tau <= 1 and split >= 0, whole, are wanted")

    def fit(self, lines: pl.DataFrame | pl.LazyFrame) -> Templates:
        """The templates of these messages; needs ``message``, takes ``line`` where it is there.

        Of a lazy frame (``dl.scan``) only the distinct shapes are held in memory.
        """
        return Templates((), self.tau, self.split).learn(lines, self.mine)

    def extend(self, templates: Templates, lines: pl.DataFrame | pl.LazyFrame) -> Templates:
        """The same templates under the same keys, and new ones for the messages that fit none."""
        return templates.learn(lines, self.mine)

    def mine(self, shapes: Iterable[str]) -> list[str]:
        """One merged shape for each template, in the order of first appearance."""
        starts = dict.fromkeys(map(beginning, shapes))
        return [reduce(merge, part) for part in split(cluster(starts, self.tau), self.split, self.tau)]


def distinct_shapes(lines: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """``shape, count, example, first_line``: each distinct shape once, in the order of first appearance."""
    if isinstance(lines, pl.DataFrame):
        found = _shapes(numbered(lines))
    else:
        found = batch_by_batch(numbered(lines), _shapes).collect()
    first = pl.col("example", "first_line").first()
    return found.group_by("shape", maintain_order=True).agg(pl.col("count").sum(), first)


def _shapes(lines: pl.DataFrame) -> pl.DataFrame:
    found = (
        messages(lines)
        .group_by(shape=shape(pl.col("message")), maintain_order=True)
        .agg(count=pl.len().cast(pl.UInt64), example=pl.col("message").first(), first_line=pl.col("line").first())
    )
    return pl.DataFrame(found.to_dict(as_series=False), schema=found.schema)  # a copy, or an example keeps its batch


def numbered(lines: Frame) -> Frame:
    """The lines with their number, which is the row's where they bring none."""
    if "line" not in lines.collect_schema():
        lines = lines.with_row_index("line", 1).with_columns(pl.col("line").cast(pl.UInt64))
    return check(lines, NEEDED, "lines", lazy=True)
