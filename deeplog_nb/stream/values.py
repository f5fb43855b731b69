"""Rows -> ERRORS of those that may be odd: the value model, with the last vectors of each series in mind.

All arithmetic is the model's own; here it is only told which vectors came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import ERRORS, SESSIONS
from deeplog_nb.models.fitted import Fitted
from deeplog_nb.models.told import Told, errors_frame
from deeplog_nb.sessions.quantities import stated
from deeplog_nb.sessions.series import HUGE, Vectors
from deeplog_nb.stream.live import Floats, Past
from deeplog_nb.stream.sessions import Row

_NONE: Final = pl.DataFrame(schema=ERRORS)
BLOCKS: Final = (8, 32, 256)  # places of a series that are forecast at once: the least that holds the most frequent
Parameters = Sequence[Sequence[str] | None]
Ints = npt.NDArray[np.int64]


@dataclass
class Values:
    """A fitted value model, and what the stream must remember for it."""

    model: Fitted
    past: Past = field(default_factory=dict)  # of each series over the whole log, the last vectors
    touched: set[tuple[int, int]] = field(default_factory=set)  # series whose past has changed since someone asked

    def __post_init__(self) -> None:
        self._slots: dict[int, list[tuple[int, int, str]]] = {}
        for key, slot, at, unit in self.model.layout.slots.select("key", "slot", "at", "unit").rows():
            self._slots.setdefault(key, []).append((slot, at, unit or ""))
        self._checks: dict[int, dict[int, set[str]]] = {}
        for key, at in self.model.categories.positions.select("key", "at").rows():
            self._checks.setdefault(key, {})[at] = set()
        for key, at, text in self.model.categories.known.select("key", "at", "text").rows():
            self._checks.get(key, {}).get(at, set()).add(text)

    def passed_on(self, model: Fitted) -> Values:
        """The same past behind another model; none of it where the vectors mean something else there."""
        alike = model.layout.slots.equals(self.model.layout.slots)
        return Values(model, self.past, self.touched) if alike else Values(model)

    @property
    def wanted(self) -> set[int]:
        """The keys whose parameters are looked at."""
        return self._slots.keys() | self._checks.keys()

    def errors(self, rows: Sequence[Row], parameters: Parameters, confidence: float) -> tuple[set[int], pl.DataFrame]:
        """Which rows a rule could flag at this confidence, and their ERRORS; the others are as they should be."""
        entries = {at: row for at, row in enumerate(rows) if row.of is not None and row.entry >= 0}
        told = self._tell([*entries.values()], parameters)
        least = (1 - confidence) * 1.01  # which are, is for ``verdicts`` to say, in 32 bits
        odd = [
            (number, at)
            for number, (at, row) in enumerate(entries.items())
            if told.tail[number] <= least or self._is_new(row.key, parameters[row.entry])
        ]
        if not odd:
            return set(), _NONE
        numbers, places = zip(*odd, strict=True)
        picked = told.picked(np.array(numbers))
        sessions = _frame([rows[at] for at in places], parameters)
        return {*places}, errors_frame(sessions, picked, self.model.layout, self.model.categories)

    def _is_new(self, key: int | None, texts: Sequence[str] | None) -> bool:
        """Whether a checked position of this entry has a text that it never had."""
        checks = self._checks.get(key or 0)
        if not checks or texts is None:
            return False
        return any(at < len(texts) and texts[at] not in known for at, known in checks.items())

    def _tell(self, entries: Sequence[Row], parameters: Parameters) -> Told:
        """What the model says of each entry."""
        values = self._vectors(entries, parameters)
        there = np.flatnonzero(np.isfinite(values).any(axis=1))
        some = [entries[at] for at in there.tolist()]
        fresh = Vectors(
            values[there],
            np.array([row.key for row in some], dtype=np.int64),
            np.array([row.before for row in some], dtype=np.int64),
            np.arange(len(some)),
            np.array([row.of.serial if row.of else -1 for row in some], dtype=np.int64),
        )
        numbers = self.model.numbers(fresh)
        pasts = self._pasts(some, fresh, numbers)
        before = len(pasts.keys)
        most = int(np.bincount(numbers[numbers >= 0], minlength=1).max()) + self.model.settings.history
        block = next((size for size in BLOCKS if size >= most), BLOCKS[-1])
        told = self.model.tell(_behind(pasts, fresh), block)
        self._remember(some, fresh, numbers)
        return told.picked(np.arange(before, before + len(there))).among(there, len(entries))

    def _vectors(self, entries: Sequence[Row], parameters: Parameters) -> Floats:
        """The values of each entry, [M, D]; NaN where there is none."""
        values = np.full((len(entries), self.model.layout.size), np.nan)
        if self.model.settings.elapsed:
            values[:, 0] = [np.nan if row.elapsed is None else row.elapsed for row in entries]
        for number, row in enumerate(entries):
            for slot, at, unit in self._slots.get(row.key or 0, ()):
                said = parameters[row.entry] or ()
                told = stated(said[at], unit) if at < len(said) else None
                if told is not None:
                    values[number, slot] = told
        return values.clip(-HUGE, HUGE)

    def _pasts(self, some: Sequence[Row], fresh: Vectors, numbers: Ints) -> Vectors:
        """The remembered vectors of all series that are asked for."""
        found = []
        for at, key in self._firsts(fresh, numbers):
            rows = self._past_of(some[at]).get(key)
            if rows is not None:
                found.append((rows, *key, int(fresh.session[at])))
        sizes = [len(rows) for rows, *_ in found]
        values = np.concatenate([rows for rows, *_ in found]) if found else fresh.values[:0]
        facts = [np.repeat(np.array([each[at] for each in found], dtype=np.int64), sizes) for at in (1, 2, 3)]
        return Vectors(values, facts[0], facts[1], np.arange(len(values)), facts[2])

    def _remember(self, some: Sequence[Row], fresh: Vectors, numbers: Ints) -> None:
        """Keep the last vectors of each series."""
        history = self.model.settings.history
        for key, mine in self._members(fresh, numbers):
            past = self._past_of(some[mine[0]])
            new = fresh.values[mine[-history:]]
            old = past.get(key)
            past[key] = new if old is None or len(new) == history else np.concatenate([old, new])[-history:]
            if past is self.past:
                self.touched.add(key)

    def _firsts(self, fresh: Vectors, numbers: Ints) -> list[tuple[int, tuple[int, int]]]:
        return [(mine[0], key) for key, mine in self._members(fresh, numbers)]

    def _members(self, fresh: Vectors, numbers: Ints) -> list[tuple[tuple[int, int], list[int]]]:
        """Each run of a series, told by its key and the key before, and its entries in order."""
        groups, by_session = self.model.forecasters.groups, self.model.settings.series == "session"
        runs: dict[tuple[int, int], list[int]] = {}
        sessions = fresh.session.tolist() if by_session else [0] * len(numbers)
        for at, run in enumerate(zip(numbers.tolist(), sessions, strict=True)):
            if run[0] >= 0:
                runs.setdefault(run, []).append(at)
        return [((int(groups.keys[n]), int(groups.before[n])), mine) for (n, _), mine in runs.items()]

    def _past_of(self, row: Row) -> Past:
        return row.of.past if row.of and self.model.settings.series == "session" else self.past


def _behind(first: Vectors, second: Vectors) -> Vectors:
    parts = zip(vars(first).items(), vars(second).values(), strict=True)
    joined = {name: np.concatenate([a, b]) for (name, a), b in parts}
    return Vectors(**joined | {"order": np.arange(len(joined["keys"]))})


def _frame(rows: Sequence[Row], parameters: Parameters) -> pl.DataFrame:
    """SESSIONS of these entries alone."""
    told = [(row.session, row.position, row.key, 1, False, parameters[row.entry] or []) for row in rows]
    return pl.DataFrame(told, schema=SESSIONS | {"parameters": pl.List(pl.String())}, orient="row")
