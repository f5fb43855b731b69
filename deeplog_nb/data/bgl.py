"""A Blue Gene/L-like RAS log, one stream without sessions: keys come and go, alerts come in bursts, truth per line.

It imitates the log of the DeepLog paper's online update (section 5.3): many normal messages appear only long after
the first tenth. What goes on is in ``bgl_routines``, how it is worded in ``bgl_words``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp
from random import Random
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from deeplog_nb.data.bgl_routines import COMING, FOUNDING, OWN, SHARED, Routine
from deeplog_nb.data.bgl_words import line, midplane, place
from deeplog_nb.data.generated import TRUTH, Generated, Record, streamed
from deeplog_nb.data.grammar import Step, walk
from deeplog_nb.frames import InputError

COME: Final = 0.45  # of the normal lines, those of routines that come and go
BEFORE: Final = 0.01  # of the log, in which none of them has come yet
LAST: Final = 0.85  # of the log, until when new ones come
OVERLAP: Final = 0.08  # of the routines begin while the one before still runs; alerts with normal words run alone
QUIET: Final = 25.0  # s between two that do not


class _Use(NamedTuple):
    """A routine, its lines on average, and the parts of the log in which it is in use."""

    routine: Routine
    size: float
    periods: tuple[tuple[float, float], ...]

    def at(self, share: float) -> bool:
        return any(begin <= share < end for begin, end in self.periods)


_Group: TypeAlias = tuple[float, list[_Use]]  # share of the lines, and who writes them


def make_bgl(seed: int, *, lines: int = 60_000, alerts: float = 0.07, shared: float = 0.25) -> Generated:
    """The RAS log of one machine in the layout ``bgl``, and its truth; there are no sessions.

    About ``alerts`` of the lines carry an alert label, as 7.3 % of the real log do; about ``shared`` of those have a
    message that normal lines have too, in another order. Some 45 % of the normal lines belong to routines that come
    into use after the first hundredth of the log, the last of them near its end, each for one to three periods.

    ``lines`` of the result tells each line's ``step`` (its message), ``task`` (its routine) and ``kind``, the alert
    label or null. ``truth`` has a row for each burst of alerts, with its first line; its session is null.

    >>> log = make_bgl(7, lines=5000)
    >>> log
    Generated(5000 lines, 0 sessions, 10 anomalous)
    >>> log.text.splitlines()[0][:62]
    '- 1772446529 2026.03.02 R57-M1-N2-C:J09-U01 2026-03-02-10.15.2'
    """
    _check(lines, alerts, shared)
    rng = Random(seed)
    normal = 1 - alerts
    groups = (
        (normal * (1 - COME), _always(FOUNDING, 0.0)),
        (normal * COME, [*_coming(rng)]),
        (alerts * (1 - shared), _always(OWN, BEFORE)),
        (alerts * shared, _always(SHARED, BEFORE)),
    )
    told = sorted(_told(lines, groups, rng), key=lambda each: each[1].time)[:lines]
    return streamed([record for _, record in told], _bursts(told))


def _check(lines: int, alerts: float, shared: float) -> None:
    if lines < 1 or not 0 <= alerts < 1 or not 0 <= shared <= 1:
        raise InputError(
            f"lines is {lines}, alerts {alerts}, shared {shared}; 1 line or more and shares of 0 to 1 are wanted"
        )


def _always(routines: Sequence[Routine], begin: float) -> list[_Use]:
    return [_Use(each, each.size, ((begin, 1.0),)) for each in routines]


def _coming(rng: Random) -> Iterator[_Use]:
    """Routines in the order in which they come, evenly over the log; some pause and come back."""
    order = rng.sample(COMING, len(COMING))
    for number, routine in enumerate(order):
        begin = BEFORE + (LAST - BEFORE) * (number + rng.random()) / len(order)
        periods = []
        for _ in range(rng.randint(1, 3)):
            periods.append((begin, begin + rng.uniform(0.1, 0.3)))
            begin = periods[-1][1] + rng.uniform(0.05, 0.2)
        yield _Use(routine, routine.size, tuple(periods))


def _told(lines: int, groups: Sequence[_Group], rng: Random) -> Iterator[tuple[int, Record]]:
    """Records, each with the number of the run that wrote it; every normal routine runs when its time has come."""
    normal = [use for _, uses in groups[:2] for use in uses]
    due = sorted(rng.sample(normal, len(normal)), key=lambda use: -use.periods[0][0])
    at = last = end = number = told = 0
    alone = True
    while told < lines:
        new = due and due[-1].periods[0][0] <= told / lines
        routine = due.pop().routine if new else _drawn(groups, told / lines, rng)
        alone, apart = routine in SHARED, alone or routine in SHARED
        within = rng.random() < OVERLAP and not apart
        at = rng.randint(at, last) if within else end + round(1e6 * rng.expovariate(1 / QUIET))
        run = [*_run(routine, at, rng)]
        yield from ((number, record) for record in run)
        number, told, last = number + 1, told + len(run), max(record.time for record in run)
        end = max(end, last)


def _drawn(groups: Sequence[_Group], share: float, rng: Random) -> Routine:
    """One of the routines in use, so that lines come out by the shares and weights."""
    routines, weights = list[Routine](), list[float]()
    for part, uses in groups:
        now = [use for use in uses if use.at(share)]
        whole = sum(use.routine.weight for use in now)
        routines += [use.routine for use in now]
        weights += [part * use.routine.weight / whole / use.size for use in now]
    return rng.choices(routines, weights)[0]


def _run(routine: Routine, at: int, rng: Random) -> Iterator[Record]:
    """One run from this instant on (microseconds since the log began), on one place of a midplane after another."""
    middle = midplane(rng)
    for _ in range(rng.choice(routine.places)):
        where = place(middle, rng)
        for beat in walk(routine.body, at, rng, lambda each: _lasting(each, rng)):
            label = routine.labels.get(beat.key)
            text = line(beat.key, label or "-", beat.time, where, rng)
            yield Record(beat.time, text, beat.key, kind=label, task=routine.name)
        at += round(1e6 * routine.stagger * rng.uniform(0.5, 1.5))


def _lasting(each: Step, rng: Random) -> int:
    return max(1, round(1e6 * each.seconds * exp(each.spread * rng.gauss(0.0, 1.0))))


def _bursts(told: Sequence[tuple[int, Record]]) -> pl.DataFrame:
    """TRUTH of the alerts: a row a burst, its first line and what it says."""
    first: dict[int, tuple[object, ...]] = {}
    for at, (number, record) in enumerate(told, 1):
        if record.kind:
            first.setdefault(number, (None, True, record.kind, at, None, record.step, None, None))
    return pl.DataFrame([*first.values()], schema=TRUTH, orient="row")
