"""Rows -> VERDICTS, each distinct evidence once: the same histories and keys come again and again.

What is judged is judged by the detector; here is only remembered what it said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COUNTED, ERRORS, RANKS, TIME
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.values import ValueModel
from deeplog_nb.stream.answered import answered, context
from deeplog_nb.stream.patience import Patience
from deeplog_nb.stream.rows import Rows
from deeplog_nb.verdicts.allowing import ORDER
from deeplog_nb.verdicts.learner import Learner
from deeplog_nb.verdicts.policy import Policy

REMEMBERED: Final = 1 << 17  # distinct evidences that are kept, about 100 MB; then all are forgotten
FEW: Final = 16  # rows that are picked one by one
CHUNKS: Final = 64  # pieces of the table, after which it is put together
_PLACE: Final = ("file", "line", "time")
_EVENTS: Final = {"file": pl.Categorical(), "line": pl.UInt64(), "key": pl.UInt32(), "message": pl.String()}
_NO_ERRORS: Final = pl.DataFrame(schema=ERRORS)
_NO_EVENTS: Final = pl.DataFrame(schema=_EVENTS)
Evidence = tuple[Any, ...]
Reasons = Mapping[int, str | None]  # what the check of counts says, by the number of the row


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

    @property
    def learner(self) -> Learner:
        """What knows the patterns that a person allowed."""

    def conclude(
        self, ranks: pl.DataFrame, errors: pl.DataFrame, counted: pl.DataFrame | None, events: pl.DataFrame
    ) -> pl.DataFrame:
        """VERDICTS of these RANKS, row by row, without a person's answers."""


class Judged:
    """What a detector said of the evidence that it was shown."""

    def __init__(self, detector: Judge) -> None:
        self._detector, self._learner = detector, detector.learner
        self._begin()

    def _begin(self) -> None:
        """Nothing is known yet but what a person allows at this moment."""
        self._standing = self._learner.standing
        self._table = answered(self._learner, self._conclude(Rows(), {}, _NO_ERRORS, _NO_EVENTS), {})
        self._patience = Patience(self._standing if self._learner.whole else ())
        self._at: dict[Evidence, int] = {}  # rows of the table
        self._flagged: set[Evidence] = set()  # that a rule of order flags
        self._ends: set[Evidence] = set()  # of ends that are alarms, whose pattern tells the whole session

    def verdicts(self, rows: Rows, odd: Collection[int], errors: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of the rows, in their order; the ``odd`` ones have ERRORS, those of key 0 have their ``events``."""
        if self._learner.until and self._learner.standing != self._standing:  # an answer has expired
            self._begin()
        reasons = self._reasons(rows)
        shown = self._shown(rows, odd, reasons)
        if new := self._new(shown):
            self._keep(new, rows, reasons)
        own = [at for at, each in enumerate(shown) if each is None or each in self._ends]
        judged = self._conclude(rows.picked(own), _some(reasons, own), errors, events) if own else self._table.clear()
        self._mark(rows, shown, dict(zip(own, _ordered(judged), strict=True)))
        for at, shape in zip(own, judged["shape"].to_list(), strict=True):
            if shape is not None and (part := rows.of[at]):
                part.strange(shape)
        table = self._table.vstack(self._answered(judged, rows, own)) if own else self._table
        places = [self._at.get(each, -1) if each is not None else -1 for each in shown]
        for number, at in enumerate(own, len(self._table)):
            places[at] = number
        return self._patience.settle(_with_identity(_picked(table, places), rows), rows)

    def _shown(self, rows: Rows, odd: Collection[int], reasons: Reasons) -> list[Evidence | None]:
        """All that each verdict depends on, equal ones get equal verdicts; None where it is more than that."""
        shown: list[Evidence | None] = [seen if key else None for seen, key in zip(rows.seen, rows.key, strict=True)]
        short = self._detector.policy.longer_than is not None
        for at, (key, part) in enumerate(zip(rows.key, rows.of, strict=True)):
            if key is None:
                shown[at] = rows.seen[at], rows.open[at], reasons.get(at), rows.position[at] if short else None
            elif part is None and key:
                shown[at] = None, key
        for at in odd:
            shown[at] = None
        return shown

    def _new(self, shown: Sequence[Evidence | None]) -> dict[Evidence, int]:
        """The evidence that is not known yet, and a row that shows it."""
        new = {each: at for at, each in enumerate(shown) if each is not None and each not in self._at}
        if len(self._at) + len(new) <= REMEMBERED:
            return new
        self._at, self._table = {}, self._table.clear()
        self._flagged, self._ends = set(), set()
        return {each: at for at, each in enumerate(shown) if each is not None}

    def _keep(self, new: Mapping[Evidence, int], rows: Rows, reasons: Reasons) -> None:
        """Judge the rows that show new evidence, and remember what is said of it."""
        places = [*new.values()]
        judged = self._conclude(rows.picked(places), _some(reasons, places), _NO_ERRORS, _NO_EVENTS)
        self._at.update(zip(new, range(len(self._table), len(self._table) + len(new)), strict=True))
        self._flagged.update(each for each, flagged in zip(new, _ordered(judged), strict=True) if flagged)
        is_alarm = judged["anomalous"].to_list()
        self._ends.update(
            each for (each, at), odd in zip(new.items(), is_alarm, strict=True) if odd and rows.key[at] is None
        )
        self._table = self._table.vstack(self._answered(judged, rows, places))
        if self._table.n_chunks() > CHUNKS:
            self._table = self._table.rechunk()

    def _mark(self, rows: Rows, shown: Sequence[Evidence | None], own: Mapping[int, bool]) -> None:
        """Remember at which keys of a session a rule of order fired: its end may be asked for them."""
        if not self._flagged and not any(own.values()):
            return
        for at, (each, key, part) in enumerate(zip(shown, rows.key, rows.of, strict=True)):
            if part is not None and key is not None and own.get(at, each in self._flagged):
                part.flagged.add(key)

    def _answered(self, judged: pl.DataFrame, rows: Rows, places: Sequence[int]) -> pl.DataFrame:
        """The judged rows, which are these of the push, with their patterns and what was said of them."""
        alarms = [number for number, odd in enumerate(judged["anomalous"].to_list()) if odd]
        return answered(self._learner, judged, {number: context(rows, places[number]) for number in alarms})

    def _reasons(self, rows: Rows) -> Reasons:
        """What the check of counts says of the sessions that are over, told by the number of their end row."""
        model = self._detector.counts
        ends = [at for at, key in enumerate(rows.key) if key is None and not rows.open[at]]
        over = {at: part.counts for at in ends if (part := rows.of[at])}
        return dict(zip(over, model.reasons([*over.values()]), strict=True)) if model and over else {}

    def _conclude(self, rows: Rows, reasons: Reasons, errors: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
        told = [(rows.session[at], True, reason) for at, reason in reasons.items() if reason]
        counted = pl.DataFrame(told, schema=COUNTED, orient="row") if told else None
        return self._detector.conclude(self._ranks(rows), errors, counted, events)

    def _ranks(self, rows: Rows) -> pl.DataFrame:
        """RANKS of these rows."""
        histories = [rows.history(at) for at in range(len(rows))]
        asked = [at for at, part in enumerate(rows.of) if part]
        scored = iter(self._detector.keys.score([histories[at] for at in asked], [rows.key[at] for at in asked]))
        loose = [(None, 0.0 if key == 0 else None) for key in rows.key]
        told = [next(scored) if part else loose[at] for at, part in enumerate(rows.of)]
        columns = [
            *_identity(rows),
            pl.Series("key", rows.key, pl.UInt32),
            pl.Series("count", [1] * len(rows), pl.UInt32),
            pl.Series("open", rows.open, pl.Boolean),
            pl.Series("rank", [rank for rank, _ in told], pl.UInt16),
            pl.Series("probability", [chance for _, chance in told], pl.Float32),
        ]
        own = {series.name: series for series in columns}
        return pl.DataFrame([own[name] for name in (*RANKS, *_PLACE)])


def _some(reasons: Reasons, places: Sequence[int]) -> Reasons:
    """The reasons of these rows, numbered anew."""
    return {number: reasons[at] for number, at in enumerate(places) if at in reasons}


def _ordered(judged: pl.DataFrame) -> list[bool]:
    """Whether a rule of order flags each row."""
    if not judged["anomalous"].any():
        return [False] * len(judged)
    return judged.select(pl.any_horizontal(ORDER)).to_series().to_list()


def _picked(table: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    """These rows of the table. A few are cut out one by one: to set all cores on them takes longer."""
    if len(places) > FEW:
        return table[places]
    parts = [table.slice(place, 1) for place in places]
    return pl.concat(parts, rechunk=False) if parts else table.clear()


def _with_identity(judged: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    own = {series.name: series for series in _identity(rows)}
    return pl.DataFrame([own.get(series.name, series) for series in judged.get_columns()])


def _identity(rows: Rows) -> list[pl.Series]:
    """Which entry of which session each row is, and where its line stands."""
    return [
        pl.Series("session", rows.session, pl.String),
        pl.Series("position", rows.position, pl.UInt32),
        pl.Series("file", rows.file, pl.String).cast(pl.Categorical()),
        pl.Series("line", rows.line, pl.UInt64),
        pl.Series("time", rows.time, pl.Int64).cast(TIME),
    ]
