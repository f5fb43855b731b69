"""What an edit does to key and parameters: the same on lines that are parsed and on events that were.

A store's patterns are never changed by a person's edit. What they found is rewritten: the rows of one key, or
those of them with a certain text at a wildcard, get another key, and their parameters are cut anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import polars as pl

from deeplog_nb.events.align import Template, captures
from deeplog_nb.events.masks import HOLE

COLUMNS = ("key", "parameters")
MANY = 64  # pieces of text that are put together one by one


@dataclass(frozen=True)
class Rewrite:
    """Rows of ``source`` (with this text ``at`` a wildcard) become rows of ``target`` with these parameters."""

    action: str  # merge or split
    source: int
    target: int
    literals: Template  # of the target, from now on
    fills: tuple[str, ...]  # the new parameters; each hole takes the next of the old ones
    at: int | None = None
    text: str = ""

    @property
    def chosen(self) -> pl.Expr:
        """Which rows it takes."""
        rows = pl.col("key") == self.source
        return (
            rows if self.at is None else rows & (pl.col("parameters").list.get(self.at, null_on_oob=True) == self.text)
        )


def merging(source: int, literals: Template, target: int, merged: Template) -> Rewrite:
    """A template's rows as rows of one that fits whatever it fits."""
    fills = captures(merged, HOLE.join(literals))
    if fills is None:
        raise AssertionError(f"{merged} does not fit {literals}, of which it was made")
    return Rewrite("merge", source, target, merged, tuple(fills))


def splitting(source: int, literals: Template, target: int, at: int, text: str) -> Rewrite:
    """The rows with this text at a wildcard, as rows of a template that says it."""
    said = (*literals[:at], literals[at] + text + literals[at + 1], *literals[at + 2 :])
    return Rewrite("split", source, target, said, (HOLE,) * (len(said) - 1), at, text)


def rewritten(events: pl.DataFrame, rewrites: Iterable[Rewrite]) -> pl.DataFrame:
    """The same rows, with key and parameters as these rewrites, one after the other, make them.

    >>> events = pl.DataFrame({"key": [1, 2], "parameters": [["GET"], []]}, schema_overrides={"key": pl.UInt32})
    >>> rewritten(events, [splitting(1, ("", " ok"), 3, 0, "GET")])
    shape: (2, 2)
    ┌─────┬────────────┐
    │ key ┆ parameters │
    │ --- ┆ ---        │
    │ u32 ┆ list[str]  │
    ╞═════╪════════════╡
    │ 3   ┆ []         │
    │ 2   ┆ []         │
    └─────┴────────────┘
    """
    for each in rewrites:
        events = events.with_columns(_chosen=each.chosen).pipe(_apply, each).drop("_chosen")
    return events


def filled(texts: Sequence[str]) -> pl.Expr:
    """Parameters that are these texts, each hole in them filled with the next of the ``parameters``."""
    used, said = 0, []
    for text in texts:
        literals = text.split(HOLE)
        said.append(interleaved(literals, used))
        used += len(literals) - 1
    return pl.concat_list(said) if said else pl.lit([], pl.List(pl.String))


def fill(texts: Sequence[str], values: Iterable[str]) -> list[str]:
    r"""The same of one row, without a frame.

    >>> fill(["\x1a", "a \x1a and \x1a"], ["1", "2", "3"])
    ['1', 'a 2 and 3']
    """
    left = iter(values)
    return [next(left) if text == HOLE else re.sub(HOLE, lambda _: next(left), text) for text in texts]


def interleaved(literals: Sequence[str], first: int = 0) -> pl.Expr:
    """These texts with a parameter between each two, beginning with the ``first``."""
    if len(literals) > MANY:
        return _interleaved(literals, first)
    texts = [pl.col("parameters").list.get(first + at) for at in range(len(literals) - 1)]
    pieces = [piece for pair in zip_longest(map(pl.lit, literals), texts) for piece in pair if piece is not None]
    return pl.concat_str(pieces)


def _interleaved(literals: Sequence[str], first: int) -> pl.Expr:
    """The same with few expressions, however many parameters there are."""
    most = len(literals)
    both = pl.concat_list(pl.lit(pl.Series([literals])), pl.col("parameters").list.slice(first, most - 1))
    order = [at for pair in zip(range(most), range(most, 2 * most), strict=True) for at in pair]
    return both.list.gather(order[:-1]).list.join("")


def _apply(events: pl.DataFrame, rewrite: Rewrite) -> pl.DataFrame:
    """The chosen rows alone can be cut anew: others have other numbers of parameters."""
    if not events["_chosen"].any():
        return events
    numbered = events.with_row_index("_row")
    cut = [_parameters(rewrite)] if "parameters" in events.columns else []
    chosen = numbered.filter("_chosen").with_columns(*cut, key=pl.lit(rewrite.target, pl.UInt32))
    return pl.concat([numbered.filter(~pl.col("_chosen")), chosen]).sort("_row").drop("_row")


def _parameters(rewrite: Rewrite) -> pl.Expr:
    if rewrite.at is None:
        return filled(rewrite.fills).alias("parameters")
    head, tail = pl.col("parameters").list.head(rewrite.at), pl.col("parameters").list.slice(rewrite.at + 1)
    return head.list.concat(tail).alias("parameters")
