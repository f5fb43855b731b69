"""Durations remember, and suffer under load."""

from __future__ import annotations

from random import Random

import numpy as np

from deeplog_nb.data.grammar import Step
from deeplog_nb.data.openstack import LIFE
from deeplog_nb.data.runs import Run, since
from deeplog_nb.data.timing import Durations, simulate


def correlation(first: list[float], second: list[float]) -> float:
    return float(np.corrcoef(first, second)[0, 1])


def builds(runs: list[Run]) -> list[float]:
    told = [since(run, {"took_build": "claim_attempt"}).beats for run in runs]
    return [next(beat.time - beat.began for beat in beats if beat.key == "took_build") for beats in told]


def test_a_step_remembers_how_long_it_took() -> None:
    """The logarithm of a duration is an AR(1) process with memory 0.7."""
    durations, one = Durations(Random(2)), Step("boot", 10, 0.3)
    logs = [float(np.log(durations(one, 0.0))) for _ in range(3000)]
    assert abs(correlation(logs[1:], logs[:-1]) - 0.7) < 0.05


def test_steps_have_memories_of_their_own() -> None:
    """Another step's history has no bearing."""
    durations, one, two = Durations(Random(2)), Step("a", 10, 0.3), Step("b", 10, 0.3)
    pairs = [(durations(one, 0.0), durations(two, 0.0)) for _ in range(3000)]
    assert abs(correlation([float(a) for a, _ in pairs], [float(b) for _, b in pairs])) < 0.1


def test_load_slows_a_step_unless_it_is_exempt() -> None:
    """At the usual load a step takes 40 % longer; thinking does not."""
    slow = [Durations(Random(1))(Step("boot", 10, load=sensitive), 1.0) for sensitive in (0.0, 1.0)]
    assert round(slow[1] / slow[0], 3) == 1.4


def test_building_is_autocorrelated_and_rises_with_load() -> None:
    """Both show in the machines themselves, from one to the next and with the number running."""
    runs = simulate(LIFE, map(str, range(400)), Random(3), every=20.0, usual=12.0)
    took = [float(one) for one in builds(runs)]
    assert correlation(took[1:], took[:-1]) > 0.3
    assert correlation(took, [run.running for run in runs]) > 0.3


def test_running_counts_the_sessions_under_way() -> None:
    """As many as began before and have not ended."""
    runs = simulate(LIFE, map(str, range(50)), Random(3), every=20.0, usual=12.0)
    at, before = runs[40].beats[0].began, runs[:40]
    assert abs(sum(run.beats[-1].time > at for run in before) - runs[40].running) <= 1
