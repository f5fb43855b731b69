"""LINES -> what a stream needs of each: key, parameters, ids, place and time, as Python's own lists.

The same keys and parameters as ``Templates.parse`` gives, without frames where a shape is known already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from deeplog_nb.events.masks import HOLE, messages, shape, values
from deeplog_nb.events.rewrite import fill
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import TIME, check
from deeplog_nb.sessions.sessionize import ids_of

REMEMBERED: Final = 1 << 16  # shapes whose key is kept; then all are forgotten
LONG: Final = 1 << 12  # characters of a shape that is not kept
_PLACE: Final = {"file": pl.Categorical(), "line": pl.UInt64()}


@dataclass(frozen=True)
class Parsed:
    """The columns of some LINES."""

    keys: list[int]
    parameters: list[list[str] | None]  # None where nobody wants them
    ids: list[list[str]]
    files: list[str]
    lines: list[int]
    times: list[int | None]  # microseconds


@dataclass(frozen=True)
class Parser:
    """Templates, and the shapes that they were asked for."""

    templates: Templates
    by: str | None
    wanted: Collection[int]  # keys whose parameters are looked at
    known: dict[str, tuple[int, list[str] | None]] = field(default_factory=dict)  # key, and texts if not all holes

    def read(self, lines: pl.DataFrame) -> Parsed:
        """Keys and all else of these LINES."""
        messages(check(lines, _PLACE, "lines"))
        time = pl.col("time").cast(TIME) if "time" in lines.columns else pl.lit(None, TIME)
        place = {"file": pl.col("file").cast(pl.String), "line": pl.col("line"), "time": time.cast(pl.Int64)}
        ids = {} if self.by is None else {"ids": ids_of(lines, self.by)}
        text = pl.col("message")
        if self.templates.rewrites:
            events = self.templates.parse(lines)
            found = events.select(**place, **ids)
            keys, parameters = events["key"].to_list(), events["parameters"].to_list()
        else:
            told = {"values": values(text)} if self.wanted else {}
            found = lines.select(shape=shape(text), **told, **place, **ids)
            keys, parameters = self._keys(found)
        files = found["file"].to_list()
        named = [[file] for file in files] if self.by is None else found["ids"].to_list()
        return Parsed(keys, parameters, named, files, found["line"].to_list(), found["time"].to_list())

    def _keys(self, found: pl.DataFrame) -> tuple[list[int], list[list[str] | None]]:
        shapes = found["shape"].to_list()
        told = self._assigned(shapes)
        keys = [told[each][0] for each in shapes]
        parameters: list[list[str] | None] = [None] * len(keys)
        rows = [row for row, key in enumerate(keys) if key in self.wanted]
        if rows:
            for row, texts in zip(rows, found["values"].gather(rows).to_list(), strict=True):
                captured = told[shapes[row]][1]
                parameters[row] = texts if captured is None else fill(captured, texts)
        return keys, parameters

    def _assigned(self, shapes: Sequence[str]) -> dict[str, tuple[int, list[str] | None]]:
        """Key and captured texts of each of these shapes, and perhaps of others."""
        new = list(dict.fromkeys(each for each in shapes if each not in self.known))
        if not new:
            return self.known
        if len(self.known) + len(new) > REMEMBERED:
            self.known.clear()
            new = list(dict.fromkeys(shapes))
        found = self.templates.assign(pl.Series(new, dtype=pl.String))
        rows = zip(found["key"].to_list(), found["captured"].to_list(), strict=True)
        fresh = {
            each: (key, None if all(text == HOLE for text in texts) else texts)
            for each, (key, texts) in zip(new, rows, strict=True)
        }
        self.known.update((each, said) for each, said in fresh.items() if len(each) <= LONG)
        return self.known if len(fresh) == len(new) and all(len(e) <= LONG for e in new) else {**self.known, **fresh}
