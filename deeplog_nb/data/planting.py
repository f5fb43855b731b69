"""Chooses whole sessions late enough in the log, plants the anomalies, and measures how strong they are.

The levels are measured on the log as it came out, against its own normal sessions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from random import Random
from typing import TypeVar

from deeplog_nb.data.faults import PLANTERS
from deeplog_nb.data.generated import KINDS
from deeplog_nb.data.runs import Run, clip
from deeplog_nb.data.world import World, elapsed, reported
from deeplog_nb.frames import InputError

SHARE = 0.03  # of the sessions, where the caller names no number

_Name = TypeVar("_Name", bound=Hashable)


def plant(
    runs: Sequence[Run],
    world: World,
    rng: Random,
    *,
    number: int | None,
    kinds: Sequence[str],
    clean: float,
    end: int,
) -> list[Run]:
    """The runs up to the end of the log, ``number`` of each kind planted after the clean share of its time.

    Raises InputError for a kind that does not exist, or more anomalies than there is room for.
    """
    check_kinds(kinds)
    first = runs[0].beats[0].time
    normal = {run.session: clip(run, end) for run in runs}
    whole = [run for run in normal.values() if not run.open]
    world = _measured(replace(world, donors=tuple(whole)), normal.values())
    free = [run for run in whole if run.beats[0].time >= first + clean * (end - first)]
    rng.shuffle(free)
    number = max(1, round(SHARE * len(runs) / len(kinds or KINDS))) if number is None else number
    for kind, turn in ((kind, turn) for kind in KINDS if kind in kinds for turn in range(number)):
        planted = _plant_one(kind, turn, free, world, rng, end)
        normal[planted.session] = planted
    return _levelled(list(normal.values()), world)


def check_kinds(kinds: Sequence[str]) -> None:
    """Refuse kinds that cannot be planted.

    >>> check_kinds(["slow"])
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: kinds: slow cannot be planted; choose from missing_step, ...
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputError(f"kinds: {', '.join(unknown)} cannot be planted; choose from {', '.join(KINDS)}")


def _plant_one(kind: str, turn: int, free: list[Run], world: World, rng: Random, end: int) -> Run:
    """The first free run that takes the anomaly and still ends within the log; it is free no longer."""
    for place, run in enumerate(free):
        changed = PLANTERS[kind](run, world, rng, turn)
        if changed and changed.beats[-1].time <= end:
            free.pop(place)
            return changed
    raise InputError(
        f"no session is left that takes a {kind}: {len(free)} untouched ones lie wholly in the part after "
        "the clean share; ask for fewer anomalies, more sessions or a smaller clean share"
    )


def _levelled(runs: list[Run], world: World) -> list[Run]:
    world = _measured(world, (run for run in runs if run.planted is None))
    return [_with_level(run, world) for run in runs]


def _with_level(run: Run, world: World) -> Run:
    if run.planted is None or run.planted.kind not in ("slow_step", "abnormal_value"):
        return run
    index = run.planted.index
    if run.planted.kind == "slow_step":
        pair = run.keys[index - 1], run.keys[index]
        level = elapsed(run, index, world.resolution) / world.elapsed[pair]
    else:
        level = reported(run.beats[index]) / world.reported[run.keys[index]]
    return replace(run, planted=replace(run.planted, level=round(level, 4)))


def _measured(world: World, normal: Iterable[Run]) -> World:
    """The world with the 99 % values of these runs; what they never show keeps the value it had."""
    runs = list(normal)
    values = {family[0] for family in world.values}
    told = ((b.key, reported(b)) for run in runs for b in run.beats if b.key in values)
    gaps = _gaps(runs, world)
    return replace(world, elapsed={**world.elapsed, **_highest(gaps)}, reported={**world.reported, **_highest(told)})


def _gaps(runs: Iterable[Run], world: World) -> Iterator[tuple[tuple[str, str], float]]:
    for run in runs:
        for index, pair in enumerate(zip(run.keys, run.keys[1:], strict=False), 1):
            if pair in world.slow:
                yield pair, elapsed(run, index, world.resolution)


def _highest(named: Iterable[tuple[_Name, float]]) -> dict[_Name, float]:
    """The 99 % value for each name: the smallest that at least 99 % do not exceed."""
    found = defaultdict[_Name, list[float]](list)
    for name, value in named:
        found[name].append(value)
    return {name: sorted(values)[ceil(0.99 * len(values)) - 1] for name, values in found.items()}
