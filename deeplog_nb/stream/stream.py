"""A live log, judged entry by entry or batch by batch, with the verdicts that the whole log would get.

It reads no files and keeps nothing on disk; ``changes`` says what to keep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import polars as pl

from deeplog_nb.frames import EVENTS, InputError, ModelError
from deeplog_nb.sessions.sessionize import duration
from deeplog_nb.stream.clock import Clock
from deeplog_nb.stream.judged import Judge, Judged
from deeplog_nb.stream.origin import NAME as ORIGIN
from deeplog_nb.stream.origin import Origin
from deeplog_nb.stream.parsing import Parser
from deeplog_nb.stream.rows import Rows
from deeplog_nb.stream.sessions import Sessions
from deeplog_nb.stream.values import Parameters, Values

MICROSECOND: Final = timedelta(microseconds=1)
_NONE: Final = pl.DataFrame(schema=EVENTS)


class Stream:
    """LINES in the order in which they are written -> VERDICTS, however they are cut into pushes.

    A session that is silent for longer than ``idle``, in the log's own time, is over: its end is judged, its state
    dropped, and when its id comes back it is the session ``id#2``, as :func:`sessionize` with that gap would name it.
    A detector that was fitted with a gap keeps to its own; without an id or a gap, a file is one session that never
    ends. Times that run back are taken as they come, where a whole log would be sorted. Not for several threads.

    Where a person allowed whole sessions, alarms of one that may still become such a session wait: it is told by all
    its keys. The first row that shows another, at the latest its end, is an alarm and says which were let pass.

    ``state`` is what :meth:`changes` told some time ago; the stream goes on from there, with the same detector or an
    update of it: one of other templates or another cut is a ModelError, as is a state that does not tell them.

    >>> import deeplog_nb as dl
    >>> steps = ["open the file", "read a block", "check the sum", "close the file"] * 120
    >>> normal = pl.DataFrame({"message": steps}).with_columns(
    ...     file=pl.lit("x", pl.Categorical()), line=pl.int_range(1, pl.len() + 1, dtype=pl.UInt64))
    >>> detector = dl.Detector.fit(normal, keys=dl.KeyModel(history=3, units=16, layers=1))
    >>> stream = detector.stream()
    >>> [stream.push(normal[at])["anomalous"].item() for at in (0, 1, 2, 0)]
    [False, False, False, True]
    """

    def __init__(
        self, detector: Judge, *, idle: str | timedelta = "1h", state: Mapping[str, str] | None = None
    ) -> None:
        cut = detector.cut
        silence = duration(cut.gap or (idle if cut.by else None))
        quiet = None if silence is None else silence // MICROSECOND
        self._clock = Clock()
        self._sessions = Sessions(detector.keys.settings.history, quiet, cut.count, not cut.whole_files)
        self._loose = 0  # records so far that name no session
        self._stored = state is not None  # whether what was told before is known to the one who asks
        self._begun_with: str | None = None  # what is stored of whose sessions these are
        self._set(detector, Values(detector.values.fitted))
        if state:
            self._restore(state)

    @property
    def detector(self) -> Judge:
        """What judges. Another one, of the same templates and the same cut, can take its place; else ModelError."""
        return self._detector

    @detector.setter
    def detector(self, detector: Judge) -> None:
        other = Origin.of(detector)
        self._origin.check(other)
        self._sessions.look_back(detector.keys.settings.history)
        if other.slots != self._origin.slots:
            self._sessions.forget_values()
        self._set(detector, self._values.passed_on(detector.values.fitted))

    def push(self, lines: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of these LINES, and of the ends of the sessions that are over by now."""
        if not isinstance(lines, pl.DataFrame):
            raise InputError(f"lines are a {type(lines).__name__}; give a polars DataFrame (collect() a lazy one)")
        parsed, rows = self._parser.read(lines), Rows()
        clock, sessions, last = self._clock, self._sessions, None
        places = zip(parsed.files, parsed.lines, parsed.times, strict=True)
        for entry, (key, ids, place) in enumerate(zip(parsed.keys, parsed.ids, places, strict=True)):
            if place[2] is not None and not clock.timed:
                sessions.heard(place[2])
            now = clock.tell(place[0], place[2])
            if now != last:
                sessions.expire(rows, now)
                last = now
            if ids:
                sessions.add(rows, ids, now, key, place, entry)
            else:
                rows.add(None, self._loose, key, (key,), place, entry=entry)
                self._loose += 1
        strange = [entry for entry, key in enumerate(parsed.keys) if key == 0]
        events = lines[strange].with_columns(key=pl.lit(0, pl.UInt32)) if strange else _NONE
        return self._finish(rows, parsed.parameters, events)

    def close(self) -> pl.DataFrame:
        """VERDICTS of the ends of all sessions that are left; they are open: the log ended first."""
        rows = Rows()
        for part in list(self._sessions.live.values()):
            self._sessions.end(rows, part, is_open=True)
        return self._finish(rows, [], _NONE)

    def changes(self) -> tuple[dict[str, str], list[str]]:
        """What has changed since this was last asked, each under its name as JSON, and the names that are gone.

        The first answer is the whole state, unless the stream was begun with one.
        """
        sessions, values = self._sessions, self._values
        names = sessions.touched if self._stored else {*sessions.live, *sessions.over}
        series = values.touched if self._stored else values.past.keys()
        told: dict[str, Any] = {f"session {name}": sessions.known(name) for name in names}
        told |= {f"series {key} {before}": values.known((key, before)) for key, before in series}
        facts = {"loose": self._loose, "begun": sessions.begun, "mark": sessions.mark}
        told["clock"] = self._clock.facts() | facts
        origin, before = self._origin.as_json(), self._begun_with
        sessions.touched, values.touched, self._stored = set(), set(), True
        texts = {name: json.dumps(facts) for name, facts in told.items() if facts is not None}
        self._begun_with = origin
        return texts | ({} if origin == before else {ORIGIN: origin}), [name for name in told if name not in texts]

    def _restore(self, state: Mapping[str, str]) -> None:
        try:
            origin, self._begun_with = Origin.told(state), state[ORIGIN]
            origin.check(self._origin)
            told = {name: json.loads(facts) for name, facts in state.items() if name != ORIGIN}
            clock = told.pop("clock")
            self._loose, self._sessions.begun, self._sessions.mark = (clock.pop(n) for n in ("loose", "begun", "mark"))
            self._clock = Clock(**clock)
            kinds = [(*name.split(" ", 1), facts) for name, facts in told.items()]
            self._sessions.restore({name: facts for kind, name, facts in kinds if kind == "session"})
            self._values.restore({_pair(name): facts for kind, name, facts in kinds if kind == "series"})
            if origin.slots != self._origin.slots:
                self._sessions.forget_values()
                self._values.forget()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"this is not the state of a stream ({type(error).__name__}: {error})") from error

    def _finish(self, rows: Rows, parameters: Parameters, events: pl.DataFrame) -> pl.DataFrame:
        if not self._stored:  # nobody asks
            self._sessions.touched.clear()
            self._values.touched.clear()
        odd, errors = self._values.errors(rows, parameters, self._detector.policy.confidence)
        return self._judged.verdicts(rows, odd, errors, events)

    def _set(self, detector: Judge, values: Values) -> None:
        self._detector = detector
        self._values = values
        self._origin = Origin.of(detector)
        self._judged = Judged(detector)
        self._parser = Parser(detector.templates, detector.cut.by, values.wanted)

    def __repr__(self) -> str:
        return f"Stream({len(self._sessions.live)} sessions are not over, {self._clock.lines:,} records read)"


def _pair(name: str) -> tuple[int, int]:
    key, before = name.split(" ")
    return int(key), int(before)
