"""How long steps take and when sessions arrive: autocorrelated, slower under load, in waves.

It knows no wording; planted slowness is not made here but in ``faults``.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from functools import partial
from math import exp, pi, sin, sqrt
from random import Random

from deeplog_nb.data.grammar import Node, Step, walk
from deeplog_nb.data.runs import Run

MEMORY = 0.7  # autocorrelation of a step's duration from one occurrence to the next
GAIN = 0.4  # how much longer a step takes for each `usual` sessions under way
WAVE = 1800.0  # seconds from one busy spell to the next
SWELL = 0.7  # share by which demand rises and falls


class Durations:
    """Milliseconds for one step after another: an AR(1) process for each step, times the load.

    >>> durations = Durations(Random(0))
    >>> [durations(Step("boot", seconds=10), load=load) for load in (0.0, 0.0, 1.0)]
    [12072, 9346, 12117]
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._states: dict[Step, float] = {}

    def __call__(self, step: Step, load: float) -> int:
        """Milliseconds that the step takes now; load 1 = as many sessions as usual."""
        shock = self._rng.gauss(0.0, 1.0)
        before = self._states.get(step)
        state = shock if before is None else MEMORY * before + sqrt(1 - MEMORY**2) * shock
        self._states[step] = state
        slower = 1 + GAIN * step.load * load
        return max(1, round(1000 * step.seconds * exp(step.spread * state) * slower))


def simulate(life: Node, sessions: Iterable[str], rng: Random, *, every: float, usual: float) -> list[Run]:
    """One normal run per session, in order of arrival: one every so many seconds, more in busy spells.

    >>> runs = simulate(Step("on"), ["a", "b"], Random(0), every=10, usual=5)
    >>> [(run.session, run.keys, run.beats[0].time) for run in runs]
    [('a', ('on',), 1060), ('b', ('on',), 6491)]
    """
    durations, ends, runs, at = Durations(rng), list[int](), list[Run](), 1000
    for session in sessions:
        running = len(ends) - bisect_right(ends, at)
        beats = walk(life, at, rng, partial(durations, load=running / usual))
        runs.append(Run(session, beats, running))
        insort(ends, beats[-1].time)
        at += round(1000 * rng.expovariate(1.0) * every / _demand(at / 1000))
    return runs


def _demand(seconds: float) -> float:
    return 1 + SWELL * sin(2 * pi * seconds / WAVE)
