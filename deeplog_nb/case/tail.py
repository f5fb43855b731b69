"""A growing log, judged as it is written: follower, stream and case as one thing that survives being killed.

A step is one look at the log. Its verdicts, the place in the log and the stream's state are kept in one
transaction; whatever ends the process before that, the next one begins again from what the case has.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

import polars as pl

from deeplog_nb.case import store
from deeplog_nb.case.case import Case
from deeplog_nb.case.pulse import SHOWN, Meter, Pulse, alarm_texts
from deeplog_nb.detector import Detector
from deeplog_nb.frames import LINES, VERDICTS, DeepLogError, InputError
from deeplog_nb.lines.follow import Arrival, Follower
from deeplog_nb.lines.layouts import Layout
from deeplog_nb.views.text import visible

if TYPE_CHECKING:
    from deeplog_nb.stream.stream import Stream

Begin = Callable[[dict[str, Any] | None, dict[str, str] | None], "tuple[Follower, Stream]"]
"""Follower and stream at this position and in this state, or anew."""

_NOTHING: Final = pl.DataFrame(schema=VERDICTS | {name: LINES[name] for name in ("file", "line", "offset", "message")})
JOIN: Final = 30.0  # s for which stopping waits for the step under way


_RUNNING: WeakValueDictionary[tuple[str, str], Tail] = WeakValueDictionary()  # by case and log


@dataclass(frozen=True)
class Tick:
    """What one look at the log gave, after it was kept."""

    records: int
    alarms: int
    gaps: tuple[str, ...]
    seconds: float
    more: bool = field(repr=False)  # whether to look again at once
    texts: tuple[str, ...] = field(repr=False)  # the alarms, a line each, safe to show


def tail(
    path: Path | str,
    case: Case,
    detector: Detector,
    *,
    idle: str | timedelta = "1h",
    poll: float = 0.2,
    settle: float = 1.0,
    layout: str | Layout = "auto",
    stop: threading.Event | None = None,
) -> Tail:
    r"""A :class:`Tail` that judges this log as it grows and keeps what it finds in the case; nothing runs yet.

    ``poll`` is how many seconds lie between two looks, ``settle`` how long a record waits that more lines may
    continue, ``idle`` after which silence, in the log's time, a session is over. Setting ``stop`` ends it, as
    :meth:`Tail.stop` does. A log that the case knows is gone on with where it was left; a record is judged once. It is
    gone on with by the same detector or an update of it, or by one fitted anew to the same effect (the same templates
    and cut into sessions); the first step with any other is a ModelError.

    >>> import tempfile, deeplog_nb as dl
    >>> steps = ["open the file", "read a block", "check the sum", "close the file"] * 120
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder, "app.log")
    ...     written = log.write_text("\n".join(steps) + "\n")
    ...     detector = dl.Detector.fit(dl.read(log), keys=dl.KeyModel(history=3, units=16, layers=1))
    ...     tail = dl.tail(log, dl.Case(folder), detector, settle=0)
    ...     with log.open("a") as file:
    ...         written = file.write("the disk is on fire\n")
    ...     tick = tail.step()
    ...     tail.close()
    >>> tick.records, tick.texts
    (481, ('app.log:481 · ... · the disk is on fire',))
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"a log's path is wanted, not of type {type(path).__name__}; a tail reads the log itself")
    for given, kind, what in ((case, Case, "dl.Case(folder)"), (detector, Detector, "dl.load(folder)")):
        if not isinstance(given, kind):
            raise InputError(f"{given!r} is no {kind.__name__} but a {type(given).__name__}; give {what}")
    where = Path(path).absolute()

    def begin(position: dict[str, Any] | None, state: dict[str, str] | None) -> tuple[Follower, Stream]:
        follower = Follower(where, layout=layout, settle=settle, position=position)
        return follower, detector.stream(idle=idle, state=state)

    return Tail(where, case, begin, poll=poll, stop=stop)


class Tail:
    """A log that is followed and judged: step by step, in a loop, or in the background.

    ``step`` is one look; iterating gives a :class:`Tick` each until it is stopped; ``run`` does so quietly, and
    ends in order when interrupted; ``start`` does so in a thread, whose error is kept in ``error`` and raised by
    ``stop``. After any error the next step begins from what the case has.
    """

    def __init__(
        self, path: Path, case: Case, begin: Begin, *, poll: float = 0.2, stop: threading.Event | None = None
    ) -> None:
        self.path, self.case = path, case
        self.error: BaseException | None = None
        self._follows: bool | None = None  # None: it was never begun
        self._begin, self._poll, self._asked, self._over = begin, poll, stop, threading.Event()
        self._at_work = threading.RLock()
        self._thread: threading.Thread | None = None
        self._under_way: tuple[Follower, Stream] | None = None
        self._recalled = False
        self._kept: str | None = None  # the position that the case has
        self._meter = Meter(time.monotonic)
        self._watchers: list[Callable[[], object]] = []
        self._unshown = ""
        self._key = str(case.folder), str(path)

    def step(self) -> Tick:
        """Look once: judge what came, keep it in the case, and tell what it was."""
        self._refuse_beside_another()
        with self._at_work:
            began = time.perf_counter()
            try:
                arrival, verdicts = self._look()
            except BaseException:  # an interrupt too may have come in the middle of judging
                self.close()
                raise
            alarms, gaps = alarm_texts(verdicts.filter("anomalous")), tuple(map(str, arrival.gaps))
            self._meter.add(arrival.lines, alarms, gaps)
            spent = time.perf_counter() - began
            return Tick(len(arrival.lines), len(alarms), gaps, spent, arrival.more, tuple(alarms))

    def __iter__(self) -> Iterator[Tick]:
        """A tick for each look, until it is stopped."""
        self._follows = True
        try:
            while not self.is_stopped:
                tick = self.step()
                yield tick
                self._tell()
                if not tick.more:
                    self._over.wait(self._poll)
        finally:
            self._follows = False
            self.close()

    def run(self) -> None:
        """Follow until it is stopped or interrupted."""
        self._over.clear()
        with suppress(KeyboardInterrupt):
            for _ in self:
                pass
        self._tell()

    def start(self) -> Tail:
        """Follow in the background until it is stopped; another tail of this log and case in this process ends."""
        if not self.is_running:
            if (other := _RUNNING.get(self._key)) is not None and other is not self:  # a cell was run again
                other.stop(wait=False)
                other._join()
            _RUNNING[self._key] = self
            with suppress(DeepLogError):  # the first look meets it again, and says so
                self._recall()
            self.error, self._follows, self._unshown = None, True, ""
            self._over.clear()
            self._thread = threading.Thread(target=self._work, name=f"tail of {self.path.name}", daemon=True)
            self._thread.start()
        return self

    def stop(self, *, wait: bool = True) -> None:
        """End it after the look that is under way; raises what ended the background before, unless not to wait."""
        self._over.set()
        if wait:
            self._join()
            if self.error:
                raise self.error

    def _refuse_beside_another(self) -> None:
        """Refuse to judge what another tail judges: that one would fail, who did nothing."""
        if (other := _RUNNING.get(self._key)) is not None and other is not self and other.is_running:
            raise InputError(
                f"{self.path}: another tail of this kernel follows this log into the same case; stop() that one first, "
                "or start() this one, which takes its place"
            )

    def _join(self) -> None:
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(JOIN)
            if self._thread.is_alive():
                raise DeepLogError(f"{self.path}: the look under way takes longer than {JOIN:g} s; stop again later")

    def close(self) -> None:
        """Let go of the files; the next step begins again from what the case has."""
        with self._at_work:
            if self._under_way:
                self._under_way[0].close()
            self._under_way, self._recalled = None, False

    def watch(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call this after each look of a loop, and once when that ends; what comes back ends the watching.

        A callback that fails is not called again; the state says so, and the log is judged all the same.
        """
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback) if callback in self._watchers else None

    @property
    def is_stopped(self) -> bool:
        """Whether it was told to stop, or failed."""
        return self._over.is_set() or (self._asked is not None and self._asked.is_set())

    @property
    def is_running(self) -> bool:
        """Whether it follows in the background."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def state(self) -> str:
        """What it is doing, in a few words that are safe to show."""
        if self.error:
            return f"failed: {visible(str(self.error) or repr(self.error), 400)}"
        if not self._follows:
            return "not started" if self._follows is None else "stopped"
        there = self._kept or os.path.exists(self.path)  # before the first look, and while it is empty
        return ("following" if there else "waiting for the log to appear") + self._unshown

    @property
    def is_following(self) -> bool:
        """Whether a loop, here or in the background, is under way."""
        return bool(self._follows)

    def pulse(self) -> Pulse:
        """Counts since this tail was made and ``before``, the rate, and the last lines, alarms and gaps."""
        return self._meter.pulse()

    def __repr__(self) -> str:
        pulse = self.pulse()
        return f"Tail({visible(str(self.path))}, {self.state}, {pulse.records:,} records, {pulse.alarms:,} alarms)"

    def _look(self) -> tuple[Arrival, pl.DataFrame]:
        """What came, judged and kept: all of it, or an error and none of it."""
        follower, stream = self._under_way = self._under_way or self._resume()
        arrival = follower.poll()
        position = json.dumps(arrival.position) if arrival.position else None
        if position is None or (position == self._kept and not arrival.gaps and not len(arrival.lines)):
            return arrival, _NOTHING
        verdicts, changed, gone = _NOTHING, dict[str, str](), list[str]()
        if len(arrival.lines):
            verdicts = store.with_places(stream.push(arrival.lines), arrival.lines, self.path)
            changed, gone = stream.changes()
        gaps = [str(gap) for gap in arrival.gaps]
        self.case.commit(str(self.path), verdicts, position=position, changed=changed, gone=gone, gaps=gaps)
        self._kept = position
        return arrival, verdicts

    def _recall(self) -> None:
        """Count from what the case has."""
        source = str(self.path)
        if not self._recalled:
            file = (
                pl.when(pl.col("generation") > 1).then(pl.format("{}#{}", "source", "generation")).otherwise("source")
            )
            last = self.case.verdicts(source, anomalous=True, last=SHOWN).with_columns(file=file)
            gaps = self.case.gaps(source)["what"].tail(SHOWN).to_list()
            self._meter.recall(self.case.totals(source), alarm_texts(last), gaps)
            self._recalled = True

    def _resume(self) -> tuple[Follower, Stream]:
        self._recall()
        self._kept = self.case.position(str(self.path))
        states = self.case.states(str(self.path))
        return self._begin(json.loads(self._kept) if self._kept else None, states or None)

    def _work(self) -> None:
        try:
            for _ in self:
                pass
        except BaseException as error:  # kept, and raised where someone hears it
            self.error = error
        self._tell()

    def _tell(self) -> None:
        for watch in [*self._watchers]:
            try:
                watch()
            except Exception as error:
                self._watchers.remove(watch)
                self._unshown = f" (showing it failed: {visible(str(error) or repr(error), 200)})"
