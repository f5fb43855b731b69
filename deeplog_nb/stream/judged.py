"""Rows -> VERDICTS, each distinct evidence once: the same histories and keys come again and again.

What is judged is judged by the detector; here is only remembered what it said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COUNTED, ERRORS, RANKS, TIME
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.values import ValueModel
from deeplog_nb.stream.sessions import Row
from deeplog_nb.verdicts.policy import Policy

REMEMBERED: Final = 1 << 17  # distinct evidences that are kept, about 100 MB; then all are forgotten
FEW: Final = 16  # rows that are picked one by one
CHUNKS: Final = 64  # pieces of the table, after which it is put together
_PLACE: Final = ("file", "line", "time")
_EVENTS: Final = {"file": pl.Categorical(), "line": pl.UInt64(), "key": pl.UInt32(), "message": pl.String()}
Evidence = tuple[Any, ...]


class Judge(Protocol):
    """What a stream needs of a detector."""

    @property
    def templates(self) -> Templates:
        """Which key a message gets."""

    @property
    def keys(self) -> KeyModel:
        """The key model."""

    @property
    def values(self) -> ValueModel:
        """The value model."""

    @property
    def counts(self) -> CountModel | None:
        """The check of counts, if there is one."""

    @property
    def policy(self) -> Policy:
        """The bounds."""

    @property
    def cut(self) -> Any:
        """``by``, ``gap`` and ``count`` of the sessions."""

    def conclude(
        self, ranks: pl.DataFrame, errors: pl.DataFrame, counted: pl.DataFrame | None, events: pl.DataFrame
    ) -> pl.DataFrame:
        """VERDICTS of these RANKS, row by row."""


class Judged:
    """What a detector said of the evidence that it was shown."""

    def __init__(self, detector: Judge) -> None:
        self._detector = detector
        self._table = self._conclude([], {}, pl.DataFrame(schema=ERRORS), pl.DataFrame(schema=_EVENTS))
        self._at: dict[Evidence, int] = {}  # rows of the table

    def verdicts(self, rows: Sequence[Row], odd: set[int], errors: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of the rows, in their order; the ``odd`` ones have ERRORS, those of key 0 have their ``events``."""
        reasons = self._reasons(rows)
        shown = [
            None if at in odd or row.key == 0 else self._evidence(row, reasons.get(at)) for at, row in enumerate(rows)
        ]
        new = self._new(shown)
        own = [at for at, each in enumerate(shown) if each is None]  # what is said of them is said of no other
        if new or own:
            picked = [*new.values(), *own]
            told = {rows[at].session: reasons[at] for at in picked if at in reasons}
            fresh = self._conclude([rows[at] for at in picked], told, errors, events)
            self._keep(new, fresh.head(len(new)))
        table = self._table.vstack(fresh.tail(len(own))) if own else self._table
        numbers = iter(range(len(self._table), len(table)))
        places = [next(numbers) if each is None else self._at[each] for each in shown]
        return _with_identity(_picked(table, places), rows)

    def _evidence(self, row: Row, reason: str | None) -> Evidence:
        """All that the verdict depends on: equal ones get equal verdicts."""
        if row.of is None:
            return None, row.key
        if row.key is not None:
            return row.history, row.key
        short = self._detector.policy.longer_than is not None
        return row.history, None, row.open, reason, row.position if short else None

    def _new(self, shown: Sequence[Evidence | None]) -> dict[Evidence, int]:
        """The evidence that is not known yet, and a row that shows it."""
        new = {each: at for at, each in enumerate(shown) if each is not None and each not in self._at}
        if len(self._at) + len(new) <= REMEMBERED:
            return new
        self._at, self._table = {}, self._table.clear()
        return {each: at for at, each in enumerate(shown) if each is not None}

    def _keep(self, new: Mapping[Evidence, int], fresh: pl.DataFrame) -> None:
        self._at.update(zip(new, range(len(self._table), len(self._table) + len(new)), strict=True))
        self._table = self._table.vstack(fresh)
        if self._table.n_chunks() > CHUNKS:
            self._table = self._table.rechunk()

    def _reasons(self, rows: Sequence[Row]) -> dict[int, str | None]:
        """What the check of counts says of the sessions that are over, told by the number of their end row."""
        model = self._detector.counts
        over = {at: row.of.counts for at, row in enumerate(rows) if row.key is None and not row.open and row.of}
        return dict(zip(over, model.reasons([*over.values()]), strict=True)) if model and over else {}

    def _conclude(
        self,
        rows: Sequence[Row],
        reasons: Mapping[str | None, str | None],
        errors: pl.DataFrame,
        events: pl.DataFrame,
    ) -> pl.DataFrame:
        told = [(session, reason is not None, reason) for session, reason in reasons.items()]
        counted = pl.DataFrame(told, schema=COUNTED, orient="row") if self._detector.counts else None
        return self._detector.conclude(self._ranks(rows), errors, counted, events)

    def _ranks(self, rows: Sequence[Row]) -> pl.DataFrame:
        """RANKS of these rows, with the ``history`` before each."""
        asked = [row for row in rows if row.of]
        scored = iter(self._detector.keys.score([row.history for row in asked], [row.key for row in asked]))
        told = [next(scored) if row.of else (None, 0.0 if row.key == 0 else None) for row in rows]
        facts = {
            "key": [row.key for row in rows],
            "open": [row.open for row in rows],
            "rank": [rank for rank, _ in told],
            "probability": [chance for _, chance in told],
            "history": [row.history for row in rows],
        }
        kinds = {name: RANKS.get(name, pl.List(pl.UInt32())) for name in facts}
        one = pl.lit(1, pl.UInt32).alias("count")
        return pl.DataFrame(facts, schema=kinds).with_columns(*_identity(rows), one).select(*RANKS, *_PLACE, "history")


def _picked(table: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    """These rows of the table. A few are cut out one by one: to set all cores on them takes longer."""
    if len(places) > FEW:
        return table[places]
    parts = [table.slice(place, 1) for place in places]
    return pl.concat(parts, rechunk=False) if parts else table.clear()


def _with_identity(judged: pl.DataFrame, rows: Sequence[Row]) -> pl.DataFrame:
    own = {series.name: series for series in _identity(rows)}
    return pl.DataFrame([own.get(name, judged[name]) for name in judged.columns])


def _identity(rows: Sequence[Row]) -> list[pl.Series]:
    """Which entry of which session each row is, and where its line stands."""
    return [
        pl.Series("session", [row.session for row in rows], pl.String),
        pl.Series("position", [row.position for row in rows], pl.UInt32),
        pl.Series("file", [row.file for row in rows], pl.String).cast(pl.Categorical()),
        pl.Series("line", [row.line for row in rows], pl.UInt64),
        pl.Series("time", [row.time for row in rows], pl.Int64).cast(TIME),
    ]
