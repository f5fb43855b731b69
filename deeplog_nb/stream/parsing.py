"""LINES -> what a stream needs of each: key, parameters, ids, place and time, as Python's own lists.

The same keys, parameters and ids as ``Templates.parse`` and ``sessionize`` give, without frames for what is known
already: a log brings the same shapes and the same ids again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Generic, TypeVar

import polars as pl

from deeplog_nb.events.masks import HOLE, messages, shape, values
from deeplog_nb.events.rewrite import fill
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import TIME, check
from deeplog_nb.sessions.sessionize import ids_of

LONG: Final = 1 << 12  # characters of a text that is not kept
FEW: Final = 16  # lines that are not worth a second thread
_PLACE: Final = {"file": pl.Categorical(), "line": pl.UInt64()}
Assigned = tuple[int, list[str] | None]  # a shape's key, and what its template captures if that is not just the holes
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Memory(Generic[Answer]):
    """Answers to texts, each asked for once; when there are too many, all are forgotten.

    >>> asked = []
    >>> memory = Memory(lambda new: [asked.append(each) or each * 2 for each in new], 2)
    >>> [memory.tell(each) for each in (["a", "a", "b"], ["b", "a"], ["c", "b"])], asked
    ([['aa', 'aa', 'bb'], ['bb', 'aa'], ['cc', 'bb']], ['a', 'b', 'c', 'b'])
    """

    answer: Callable[[list[str]], Sequence[Answer]]
    most: int = 1 << 16
    known: dict[str, Answer] = field(default_factory=dict)

    def tell(self, asked: Sequence[str]) -> list[Answer]:
        """The answer to each."""
        known = self.known
        new = list(dict.fromkeys(each for each in asked if each not in known))
        if new and len(known) + len(new) > self.most:
            known.clear()
            new = list(dict.fromkeys(asked))
        if new:
            known.update(zip(new, self.answer(new), strict=True))
        told = [known[each] for each in asked]
        for each in new:
            if len(each) > LONG:  # such ones seldom come again
                del known[each]
        return told


@dataclass(frozen=True)
class Parsed:
    """The columns of some LINES."""

    keys: list[int]
    parameters: list[list[str] | None]  # None where nobody wants them
    ids: Sequence[Sequence[str]]
    files: list[str]
    lines: list[int]
    times: list[int | None]  # microseconds


class Parser:
    """Templates and the pattern of the ids, and what was asked of them."""

    def __init__(self, templates: Templates, by: str | None, wanted: Collection[int]) -> None:
        self._templates = templates
        self._by = by
        self._wanted = wanted  # keys whose parameters are looked at
        self._shapes = Memory(self._assign)
        self._names = Memory(self._extract)

    def read(self, lines: pl.DataFrame) -> Parsed:
        """Keys and all else of these LINES."""
        messages(check(lines, _PLACE, "lines"))
        text, asked = pl.col("message"), {"file": pl.col("file").cast(pl.String), "line": pl.col("line")}
        if "time" in lines.columns:
            asked["time"] = pl.col("time").cast(TIME).cast(pl.Int64)
        if self._by in lines.columns:
            asked["ids"] = ids_of(lines, self._by)
        elif self._by is not None:
            asked["named"] = text.str.extract_all(self._by)
        if not self._templates.rewrites:
            asked |= {"shape": shape(text)} | ({"values": values(text)} if self._wanted else {})
        found = (lines.select_seq if len(lines) <= FEW else lines.select)(**asked)
        keys, parameters = self._edited(lines) if self._templates.rewrites else self._keys(found)
        times = found["time"].to_list() if "time" in asked else [None] * len(lines)
        files = found["file"].to_list()
        return Parsed(keys, parameters, self._ids(found, files), files, found["line"].to_list(), times)

    def _keys(self, found: pl.DataFrame) -> tuple[list[int], list[list[str] | None]]:
        """Key and parameters of each line, by its shape."""
        told = self._shapes.tell(found["shape"].to_list())
        keys = [key for key, _ in told]
        parameters: list[list[str] | None] = [None] * len(keys)
        rows = [row for row, key in enumerate(keys) if key in self._wanted]
        if rows:
            for row, texts in zip(rows, found["values"].gather(rows).to_list(), strict=True):
                captured = told[row][1]
                parameters[row] = texts if captured is None else fill(captured, texts)
        return keys, parameters

    def _edited(self, lines: pl.DataFrame) -> tuple[list[int], list[list[str] | None]]:
        """The same where people have edited the templates, which may look into the values."""
        events = self._templates.parse(lines, parameters=bool(self._wanted))
        keys = events["key"].to_list()
        return keys, events["parameters"].to_list() if self._wanted else [None] * len(keys)

    def _ids(self, found: pl.DataFrame, files: list[str]) -> Sequence[Sequence[str]]:
        """The ids that each line names; without a pattern, its file."""
        if self._by is None:
            return [(file,) for file in files]
        if "ids" in found.columns:
            return found["ids"].to_list()
        sizes = found["named"].list.len().to_list()
        told = self._names.tell(found["named"].explode(empty_as_null=False).to_list())
        if len(told) == len(sizes) and None not in told and max(sizes, default=0) == 1:
            return [(name,) for name in told if name is not None]
        left = iter(told)
        return [tuple(dict.fromkeys(name for name in islice(left, size) if name is not None)) for size in sizes]

    def _assign(self, shapes: list[str]) -> list[Assigned]:
        found = self._templates.assign(pl.Series(shapes, dtype=pl.String))
        rows = zip(found["key"].to_list(), found["captured"].to_list(), strict=True)
        return [(key, None if all(text == HOLE for text in texts) else texts) for key, texts in rows]

    def _extract(self, texts: list[str]) -> list[str | None]:
        return pl.Series(texts, dtype=pl.String).str.extract(self._by or "", 1).to_list()
