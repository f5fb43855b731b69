"""Rows -> ERRORS of those that may be odd: the value model, with the last vectors of each series in mind.

All arithmetic is the model's own; here it is only told which vectors came before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import ERRORS, SESSIONS
from deeplog_nb.models.fitted import Fitted
from deeplog_nb.models.forecasters import BLOCK
from deeplog_nb.models.told import Told, errors_frame
from deeplog_nb.sessions.quantities import stated
from deeplog_nb.sessions.series import HUGE, START, Vectors
from deeplog_nb.stream.live import Floats, Live, Past, arrayed, listed
from deeplog_nb.stream.rows import Rows

_NONE: Final = pl.DataFrame(schema=ERRORS)
BLOCKS: Final = ((8, 8), (32, 1024))  # places of a series that are forecast at once, where none has more than so many
Parameters = Sequence[Sequence[str] | None]
Ints = npt.NDArray[np.int64]
Run = tuple[Past, tuple[int, int], list[int]]  # where its past is kept, its key and the key before, its entries


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
        return Values(model, self.past, self.touched) if alike else Values(model, touched={*self.past, *self.touched})

    def forget(self) -> None:
        """Drop all past."""
        self.touched.update(self.past)
        self.past.clear()

    def known(self, name: tuple[int, int]) -> list[list[float | None]] | None:
        """What must be stored of this series; None if it is forgotten."""
        return listed(self.past[name]) if name in self.past else None

    def restore(self, stored: Mapping[tuple[int, int], list[list[float | None]]]) -> None:
        """Take over what was stored of these series."""
        self.past.update((name, arrayed(rows)) for name, rows in stored.items())

    @property
    def wanted(self) -> set[int]:
        """The keys whose parameters are looked at."""
        return self._slots.keys() | self._checks.keys()

    def errors(self, rows: Rows, parameters: Parameters, confidence: float) -> tuple[list[int], pl.DataFrame]:
        """Which rows a rule could flag at this confidence, and their ERRORS; the others are as they should be."""
        told = self._tell(rows, parameters)
        least = (1 - confidence) * 1.01  # which are, is for ``verdicts`` to say, in 32 bits
        odd = set(np.flatnonzero(told.tail <= least).tolist())
        odd.update(
            at
            for at, (key, entry) in enumerate(zip(rows.key, rows.entry, strict=True))
            if key in self._checks and rows.of[at] and self._is_new(key, parameters[entry])
        )
        if not odd:
            return [], _NONE
        places = sorted(odd)
        sessions = _frame(rows.picked(places), parameters)
        return places, errors_frame(sessions, told.picked(np.array(places)), self.model.layout, self.model.categories)

    def _is_new(self, key: int, texts: Sequence[str] | None) -> bool:
        """Whether a checked position of this entry has a text that it never had."""
        said = texts or ()
        return any(at < len(said) and said[at] not in known for at, known in self._checks[key].items())

    def _tell(self, rows: Rows, parameters: Parameters) -> Told:
        """What the model says of each row."""
        values = self._vectors(rows, parameters)
        there = np.flatnonzero(np.isfinite(values).any(axis=1))
        some = there.tolist()
        fresh = Vectors(
            values[there],
            np.array([rows.key[at] for at in some], dtype=np.int64),
            np.array([seen[-2] if len(seen := rows.seen[at]) > 1 else START for at in some], dtype=np.int64),
            np.arange(len(some)),
            np.array([part.serial if (part := rows.of[at]) else -1 for at in some], dtype=np.int64),
        )
        numbers = self.model.numbers(fresh)
        runs = self._runs(fresh, numbers, [rows.of[at] for at in some])
        pasts = _pasts(runs, fresh)
        most = max((len(mine) for _, _, mine in runs), default=0) + self.model.settings.history
        block = next((size for size, limit in BLOCKS if most <= limit), BLOCK)
        both = _behind(pasts, fresh)
        told = self.model.tell(both, self.model.numbers(both), block)
        self._remember(runs, fresh)
        return told.picked(np.arange(len(pasts.keys), len(pasts.keys) + len(there))).among(there, len(rows))

    def _vectors(self, rows: Rows, parameters: Parameters) -> Floats:
        """The values of each row, [M, D]; NaN where there is none."""
        values = np.full((len(rows), self.model.layout.size), np.nan)
        if self.model.settings.elapsed:
            values[:, 0] = np.array(rows.elapsed, dtype=np.float64)  # None becomes NaN
        for number, (key, entry) in enumerate(zip(rows.key, rows.entry, strict=True)):
            if key in self._slots and rows.of[number]:
                said = parameters[entry] or ()
                for slot, at, unit in self._slots[key]:
                    told = stated(said[at], unit) if at < len(said) else None
                    values[number, slot] = np.nan if told is None else told
        return values.clip(-HUGE, HUGE)

    def _runs(self, fresh: Vectors, numbers: Ints, of: Sequence[Live | None]) -> list[Run]:
        """Each series that has new entries (each part of it, where histories begin with each session), and these."""
        groups, own = self.model.forecasters.groups, self.model.settings.series == "session"
        found: dict[tuple[int, int], list[int]] = {}
        for at, (number, session) in enumerate(zip(numbers.tolist(), fresh.session.tolist(), strict=True)):
            if number >= 0:
                found.setdefault((number, session if own else 0), []).append(at)
        keys, before = groups.keys.tolist(), groups.before.tolist()
        return [
            (part.past if own and (part := of[mine[0]]) else self.past, (keys[number], before[number]), mine)
            for (number, _), mine in found.items()
        ]

    def _remember(self, runs: Sequence[Run], fresh: Vectors) -> None:
        """Keep the last vectors of each series."""
        history = self.model.settings.history
        for past, name, mine in runs:
            new, old = fresh.values[mine[-history:]], past.get(name)
            past[name] = new if old is None or len(new) == history else np.concatenate([old, new])[-history:]
            if past is self.past:
                self.touched.add(name)


def _pasts(runs: Sequence[Run], fresh: Vectors) -> Vectors:
    """The remembered vectors of these series."""
    found = [(past[name], *name, int(fresh.session[mine[0]])) for past, name, mine in runs if name in past]
    sizes = [len(rows) for rows, *_ in found]
    values = np.concatenate([fresh.values[:0], *(rows for rows, *_ in found)])
    facts = [np.repeat(np.array([each[at] for each in found], dtype=np.int64), sizes) for at in (1, 2, 3)]
    return Vectors(values, facts[0], facts[1], np.arange(len(values)), facts[2])


def _behind(first: Vectors, second: Vectors) -> Vectors:
    parts = zip(vars(first).items(), vars(second).values(), strict=True)
    joined = {name: np.concatenate([a, b]) for (name, a), b in parts}
    return Vectors(**joined | {"order": np.arange(len(joined["keys"]))})


def _frame(rows: Rows, parameters: Parameters) -> pl.DataFrame:
    """SESSIONS of these entries alone."""
    columns = {
        "session": rows.session,
        "position": rows.position,
        "key": rows.key,
        "count": [1] * len(rows),
        "open": rows.open,
        "parameters": [parameters[entry] or [] for entry in rows.entry],
    }
    return pl.DataFrame(columns, schema=SESSIONS | {"parameters": pl.List(pl.String())})
