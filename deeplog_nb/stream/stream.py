"""A live log, judged entry by entry or batch by batch, with the verdicts that the whole log would get.

It reads no files and keeps nothing on disk; ``case`` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COUNTED, RANKS, TIME, ModelError
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.sessionize import duration
from deeplog_nb.stream.clock import Clock
from deeplog_nb.stream.live import Live, arrayed, listed
from deeplog_nb.stream.parsing import Parser
from deeplog_nb.stream.ranks import Ranks
from deeplog_nb.stream.sessions import Row, Sessions
from deeplog_nb.stream.values import Values
from deeplog_nb.verdicts.policy import Policy

_PLACE = {"file": pl.String(), "line": pl.UInt64(), "time": pl.Int64()}


class Cut(Protocol):
    """How the log falls into sessions."""

    @property
    def by(self) -> str | None: ...
    @property
    def gap(self) -> str | None: ...
    @property
    def count(self) -> int | None: ...


class Judge(Protocol):
    """What a stream needs of a detector."""

    @property
    def templates(self) -> Templates: ...
    @property
    def keys(self) -> KeyModel: ...
    @property
    def values(self) -> ValueModel: ...
    @property
    def counts(self) -> CountModel | None: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def cut(self) -> Any: ...
    def conclude(
        self, ranks: pl.DataFrame, errors: pl.DataFrame, counted: pl.DataFrame | None, events: pl.DataFrame
    ) -> pl.DataFrame: ...


class Stream:
    """LINES as they come -> VERDICTS."""

    def __init__(
        self, detector: Judge, *, idle: str | timedelta = "1h", state: Mapping[str, str] | None = None
    ) -> None:
        cut = detector.cut
        silence = duration(cut.gap or (idle if cut.by else None))
        self._clock = Clock()
        self._sessions = Sessions(
            detector.keys.settings.history,
            None if silence is None else silence // timedelta(microseconds=1),
            cut.count,
            detector.counts is not None,
        )
        self._loose = 0  # records so far that name no session
        self._set(detector)

    @property
    def detector(self) -> Judge:
        """What judges; another one of the same templates can take its place at any time."""
        return self._detector

    @detector.setter
    def detector(self, detector: Judge) -> None:
        self._set(detector)

    def push(self, lines: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of these LINES, and of the ends of the sessions that are over by now."""
        parsed = self._parser.read(lines)
        rows: list[Row] = []
        clock, sessions, last = self._clock, self._sessions, None
        for entry, (key, ids, file, line, time) in enumerate(
            zip(parsed.keys, parsed.ids, parsed.files, parsed.lines, parsed.times, strict=True)
        ):
            if time is not None and not clock.timed:
                sessions.heard(time)
            now = clock.tell(file, time)
            if now != last:
                rows.extend(sessions.expire(now))
                last = now
            if ids:
                rows.extend(sessions.add(ids, now, key, file, line, time, entry))
            else:
                rows.append(Row(None, self._loose, key, False, (), file, line, time, None, 0, entry, None))
                self._loose += 1
        return self._finish(rows, parsed.parameters, lines, parsed.keys)

    def close(self) -> pl.DataFrame:
        """VERDICTS of the ends of all sessions that are left; they are open: the log ended first."""
        left = list(self._sessions.live.values())
        rows = [self._sessions.end(part, is_open=True) for part in left]
        nothing = pl.DataFrame(schema={"file": pl.Categorical(), "line": pl.UInt64(), "message": pl.String()})
        return self._finish(rows, [], nothing, [])

    def _finish(self, rows: list[Row], parameters: Any, lines: pl.DataFrame, keys: list[int]) -> pl.DataFrame:
        errors = self._values.errors(rows, parameters, self._detector.policy.confidence)
        strange = [at for at, key in enumerate(keys) if key == 0]
        events = lines[strange].with_columns(key=pl.lit(0, pl.UInt32))
        return self._detector.conclude(self._ranks_of(rows), errors, self._counted(rows), events)

    def _ranks_of(self, rows: list[Row]) -> pl.DataFrame:
        scored = iter(self._ranks.look_up([(row.history, row.key) for row in rows if row.of]))
        loose = {True: (None, 0.0), False: (None, None)}
        told = [next(scored) if row.of else loose[row.key == 0] for row in rows]
        columns = {
            "session": [row.session for row in rows],
            "position": [row.position for row in rows],
            "key": [row.key for row in rows],
            "open": [row.open for row in rows],
            "rank": [rank for rank, _ in told],
            "probability": [chance for _, chance in told],
            "file": [row.file for row in rows],
            "line": [row.line for row in rows],
            "time": [row.time for row in rows],
        }
        kinds = {name: kind for name, kind in RANKS.items() if name != "count"}
        frame = pl.DataFrame(columns, schema=kinds | _PLACE)
        return frame.with_columns(
            pl.col("file").cast(pl.Categorical()), pl.col("time").cast(TIME), count=pl.lit(1, pl.UInt32)
        ).select(*RANKS, *_PLACE)

    def _counted(self, rows: list[Row]) -> pl.DataFrame | None:
        model = self._detector.counts
        if model is None:
            return None
        over = [row for row in rows if row.key is None and not row.open and row.of]
        reasons = model.reasons([row.of.counts for row in over if row.of]) if over else []
        told = [(row.session, reason is not None, reason) for row, reason in zip(over, reasons, strict=True)]
        return pl.DataFrame(told, schema=COUNTED, orient="row")

    def _set(self, detector: Judge) -> None:
        self._detector = detector
        self._ranks = Ranks(detector.keys)
        self._values = Values.of(detector.values)
        self._parser = Parser(detector.templates, detector.cut.by, self._values.wanted)
