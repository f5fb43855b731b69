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
from deeplog_nb.frames import EVENTS, ModelError
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.sessionize import duration
from deeplog_nb.stream.clock import Clock
from deeplog_nb.stream.judged import Judge, Judged
from deeplog_nb.stream.live import Live, arrayed, listed
from deeplog_nb.stream.parsing import Parser
from deeplog_nb.stream.sessions import Row, Sessions
from deeplog_nb.stream.values import Parameters, Values

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
        strange = [entry for entry, key in enumerate(parsed.keys) if key == 0]
        return self._finish(rows, parsed.parameters, lines[strange].with_columns(key=pl.lit(0, pl.UInt32)))

    def close(self) -> pl.DataFrame:
        """VERDICTS of the ends of all sessions that are left; they are open: the log ended first."""
        left = list(self._sessions.live.values())
        rows = [self._sessions.end(part, is_open=True) for part in left]
        return self._finish(rows, [], pl.DataFrame(schema=EVENTS))

    def _finish(self, rows: list[Row], parameters: Parameters, events: pl.DataFrame) -> pl.DataFrame:
        odd, errors = self._values.errors(rows, parameters, self._detector.policy.confidence)
        return self._judged.verdicts(rows, odd, errors, events)

    def _set(self, detector: Judge) -> None:
        self._detector = detector
        self._judged = Judged(detector)
        self._values = Values.of(detector.values)
        self._parser = Parser(detector.templates, detector.cut.by, self._values.wanted)
