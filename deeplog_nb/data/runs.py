"""The life of one session as beats: what was written when, and what was planted in it.

It knows no wording and no log format; those belong to the generators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Beat:
    """One entry to be written; instants are milliseconds since the log began."""

    key: str
    time: int
    began: int  # when that began whose seconds the entry reports or would report
    task: str = ""
    turn: int = 0  # the how-manieth task of its session, from 1
    part: int = 0  # which of several parallel threads, replicas for instance
    amount: float | None = None  # the quantity that the entry reports, where it is not a duration
    kind: str | None = None  # the kind of anomaly planted here


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted in a run, and at which beat it first shows."""

    kind: str
    index: int
    step: str
    level: float | None = None  # multiple of the normal 99 % value


@dataclass(frozen=True, slots=True)
class Run:
    """One session: its beats in time order."""

    session: str
    beats: tuple[Beat, ...]
    running: int = 0  # sessions under way when this one began
    planted: Planted | None = None
    open: bool = False  # the log ended first

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in order: what an acceptor reads."""
        return tuple(beat.key for beat in self.beats)


def warp(beats: Iterable[Beat], move: Callable[[int], int]) -> tuple[Beat, ...]:
    """The beats with every instant moved; what they report as seconds moves with them.

    >>> late = warp([Beat("image", 0, 0), Beat("took", 9, 0)], lambda t: t + 5 if t > 3 else t)
    >>> [(beat.time, beat.time - beat.began) for beat in late]
    [(0, 0), (14, 14)]
    """
    return tuple(replace(beat, time=move(beat.time), began=move(beat.began)) for beat in beats)


def clip(run: Run, end: int) -> Run:
    """The run as far as the log tells it; ``open`` when it went on after the log's end.

    >>> clip(Run("a", (Beat("on", 1, 1), Beat("off", 9, 9))), end=5)
    Run(session='a', beats=(Beat(key='on', ...),), running=0, planted=None, open=True)
    """
    seen = tuple(beat for beat in run.beats if beat.time <= end)
    return replace(run, beats=seen, open=len(seen) < len(run.beats))


def since(run: Run, anchors: dict[str, str]) -> Run:
    """The run whose entries report the seconds since their anchor, the latest entry with that key.

    Entries that name no anchor report the seconds of their own step.

    >>> since(Run("a", (Beat("image", 2, 2), Beat("took", 9, 9))), {"took": "image"}).beats[1].began
    2
    """
    latest: dict[str, int] = {}
    beats = []
    for beat in run.beats:
        latest[beat.key] = beat.time
        anchor = anchors.get(beat.key)
        beats.append(replace(beat, began=latest.get(anchor, beat.began)) if anchor else beat)
    return replace(run, beats=tuple(beats))
