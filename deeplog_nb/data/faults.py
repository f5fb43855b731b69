"""One function per kind of anomaly: a normal run in, the run with the anomaly out, or none if it cannot be.

What is impossible is asked of the grammar's acceptor. Which runs are taken is decided in ``planting``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from math import ceil
from random import Random
from typing import Final

from deeplog_nb.data.runs import Beat, Planted, Run, warp
from deeplog_nb.data.world import Planter, World, elapsed

LEVELS: Final = (1.6, 3.8)  # drawn from; a margin inside the promised 1.5 to 4
TRIES = 60


def missing_step(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """A step left out where the process cannot do without; shows at the entry after the gap."""
    for index in _places(run, rng, 1, 1):
        beats = _marked(run.beats[:index] + run.beats[index + 1 :], [index], "missing_step")
        changed = _planted(run, beats, "missing_step", index, run.keys[index])
        if _shows_at(changed, index, world):
            return changed
    return None


def extra_step(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """A step of this or another run, written once more where it cannot come."""
    for index in _places(run, rng, 1, 0):
        donor = run if rng.random() < 0.5 else rng.choice(world.donors)
        beat = _moved(rng.choice(donor.beats), _between(run.beats, index), run.beats[index - 1])
        beats = (*run.beats[:index], replace(beat, kind="extra_step"), *run.beats[index:])
        changed = _planted(run, beats, "extra_step", index, beat.key)
        if _shows_at(changed, index, world):
            return changed
    return None


def swapped_order(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """Two neighbours in the wrong order; never two that the process runs at the same time."""
    for index in _places(run, rng, 1, 1):
        first, second = run.beats[index : index + 2]
        swapped = (_at(second, first.time), _at(first, second.time))
        beats = _marked(run.beats[:index] + swapped + run.beats[index + 2 :], [index, index + 1], "swapped_order")
        changed = _planted(run, beats, "swapped_order", index, second.key)
        if _shows_at(changed, index, world):
            return changed
    return None


def wrong_branch(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """One task, or two in a row, replaced by others: started where it was paused, stopped after a suspension."""
    for donor in rng.choices(world.donors, k=TRIES):
        start, stop = _span(run, rng)
        first, last = _span(donor, rng)
        if start == stop or first == last:
            continue
        beats = _spliced(run, start, stop, donor.beats[first:last])
        shown = world.acceptor.reject([beat.key for beat in beats])
        if shown is not None and start <= shown < start + last - first:
            return _planted(run, beats, "wrong_branch", shown, beats[shown].key)
    return None


def cut_short(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """A run that stops before it may, though the log goes on; shows at its last entry."""
    for index in _places(run, rng, 2, 1):
        if world.acceptor.reject(run.keys[:index]) == index:
            beats = _marked(run.beats[:index], [index - 1], "cut_short")
            return _planted(run, beats, "cut_short", index - 1, run.keys[index])
    return None


def unseen_message(run: Run, world: World, rng: Random, turn: int) -> Run | None:
    """A message that no normal run holds; some of them end the run."""
    unseen = world.unseen[turn % len(world.unseen)]
    places = [i + 1 for i, key in enumerate(run.keys[:-1]) if key in unseen.after]
    if not places:
        return None
    index = rng.choice(places)
    time, near = _between(run.beats, index), run.beats[index - 1]
    beat = replace(near, key=unseen.key, time=time, began=time, kind="unseen_message")
    beats = (*run.beats[:index], beat, *(() if unseen.fatal else run.beats[index:]))
    return _planted(run, beats, "unseen_message", index, unseen.key)


def slow_step(run: Run, world: World, rng: Random, _: int) -> Run | None:
    """A step that takes 1.5 to 4 times its normal 99 % value, and delays all that follows."""
    places = [i for i, pair in enumerate(zip(run.keys, run.keys[1:], strict=False), 1) if pair in world.slow]
    if not places:
        return None
    index = rng.choice(places)
    usual = world.elapsed.get((run.keys[index - 1], run.keys[index]), 0.0)
    pivot, took = run.beats[index].time, elapsed(run, index, world.resolution)
    if usual < 3 * world.resolution or not took:
        return None
    delay = ceil((rng.uniform(*LEVELS) * usual - took) / world.resolution) * world.resolution
    beats = warp(run.beats, lambda instant: instant + delay * (instant >= pivot))
    return _planted(run, _marked(beats, [index], "slow_step"), "slow_step", index, run.keys[index])


def abnormal_value(run: Run, world: World, rng: Random, turn: int) -> Run | None:
    """A reported value 1.5 to 4 times its normal 99 % value; if it is a duration, the time did pass."""
    family = world.values[turn % len(world.values)]
    places = [i for i, key in enumerate(run.keys) if key == family[0]]
    if not places:
        return None
    index = rng.choice(places)
    beats = _inflated(run.beats, index, family, rng.uniform(*LEVELS) * world.reported[family[0]])
    return _planted(run, beats, "abnormal_value", index, run.keys[index])


PLANTERS: Final[dict[str, Planter]] = {
    planter.__name__: planter
    for planter in (
        missing_step,
        extra_step,
        swapped_order,
        wrong_branch,
        cut_short,
        unseen_message,
        slow_step,
        abnormal_value,
    )
}


def _planted(run: Run, beats: tuple[Beat, ...], kind: str, index: int, step: str) -> Run:
    return replace(run, beats=beats, planted=Planted(kind, index, step))


def _shows_at(run: Run, index: int, world: World) -> bool:
    return world.acceptor.reject(run.keys) == index


def _places(run: Run, rng: Random, first: int, spare: int) -> list[int]:
    """Places in random order, from the first up to so many before the end."""
    places = list(range(first, len(run.beats) - spare))
    rng.shuffle(places)
    return places


def _marked(beats: tuple[Beat, ...], indices: Iterable[int], kind: str) -> tuple[Beat, ...]:
    chosen = set(indices)
    return tuple(replace(beat, kind=kind) if i in chosen else beat for i, beat in enumerate(beats))


def _between(beats: tuple[Beat, ...], index: int) -> int:
    after = beats[index].time if index < len(beats) else beats[index - 1].time + 400
    return (beats[index - 1].time + after) // 2


def _at(beat: Beat, time: int) -> Beat:
    """The beat at another time; if it reports seconds, they still began when they did."""
    return replace(beat, time=time, began=min(beat.began, time))


def _moved(beat: Beat, time: int, near: Beat) -> Beat:
    began = time - (beat.time - beat.began)
    return replace(beat, time=time, began=began, task=near.task, turn=near.turn)


def _blocks(run: Run) -> list[tuple[int, int]]:
    """Where each uninterrupted stretch of one task begins and ends."""
    groups = [len(list(group)) for _, group in groupby(run.beats, key=lambda beat: beat.turn)]
    ends = [sum(groups[: i + 1]) for i in range(len(groups))]
    return list(zip([0, *ends], ends, strict=False))


def _span(run: Run, rng: Random) -> tuple[int, int]:
    """From where to where one task goes, or two in a row, but not the first; empty if there is but one."""
    blocks = _blocks(run)[1:]
    if not blocks:
        return 0, 0
    first = rng.randrange(len(blocks))
    last = min(first + rng.randrange(2), len(blocks) - 1)
    return blocks[first][0], blocks[last][1]


def _spliced(run: Run, start: int, stop: int, block: tuple[Beat, ...]) -> tuple[Beat, ...]:
    shift = run.beats[start].time - block[0].time
    above = max(beat.turn for beat in run.beats)
    put = (replace(beat, turn=above + beat.turn, kind="wrong_branch") for beat in warp(block, lambda t: t + shift))
    longer = (block[-1].time - block[0].time) - (run.beats[stop - 1].time - run.beats[start].time)
    return (*run.beats[:start], *put, *warp(run.beats[stop:], lambda t: t + longer))


def _inflated(beats: tuple[Beat, ...], index: int, family: tuple[str, ...], value: float) -> tuple[Beat, ...]:
    beat = beats[index]
    if beat.amount is None:
        began, ended = beat.began, beat.time
        more = max(0, round(1000 * value) - (ended - began))
        grow = lambda t: t + round(more * min(1, max(0, (t - began) / (ended - began))))  # noqa: E731
        return _marked(warp(beats, grow), [index], "abnormal_value")
    same = [i for i, b in enumerate(beats) if b.key in family and (b.turn, b.part) == (beat.turn, beat.part)]
    marked = _marked(beats, same, "abnormal_value")
    return tuple(replace(b, amount=float(round(value))) if i in same else b for i, b in enumerate(marked))
