"""What planting has to know of a process: its grammar, its weak spots, and its normal 99 % values.

Nothing is planted here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from deeplog_nb.data.acceptor import Acceptor
from deeplog_nb.data.runs import Beat, Run


@dataclass(frozen=True, slots=True)
class Unseen:
    """A message that no normal run holds."""

    key: str
    after: tuple[str, ...]  # the steps that it can follow
    fatal: bool = False  # whether the run ends with it


@dataclass(frozen=True, slots=True)
class World:
    """What planting needs to know of a process and of its normal runs."""

    acceptor: Acceptor
    slow: frozenset[tuple[str, str]]  # (previous key, key) between which a run may dawdle
    values: tuple[tuple[str, ...], ...]  # the key whose value may be abnormal, then those that repeat it
    unseen: tuple[Unseen, ...]
    resolution: int  # ms between two instants that the log can tell apart
    donors: tuple[Run, ...] = ()  # normal runs, to borrow entries from
    elapsed: Mapping[tuple[str, str], float] = field(default_factory=dict)  # normal 99 % values: ms since the
    reported: Mapping[str, float] = field(default_factory=dict)  # previous entry, and the value reported


Planter: TypeAlias = Callable[[Run, World, Random, int], Run | None]


def elapsed(run: Run, index: int, resolution: int) -> int:
    """Milliseconds since the previous entry, as far as the log can tell.

    >>> elapsed(Run("a", (Beat("on", 900, 900), Beat("off", 2100, 2100))), 1, 1000)
    2000
    """
    before, now = run.beats[index - 1].time, run.beats[index].time
    return (now // resolution - before // resolution) * resolution


def reported(beat: Beat) -> float:
    """The value as the entry prints it: its amount, or the seconds since it began.

    >>> reported(Beat("took", 2345, 1000)), reported(Beat("used", 5, 5, amount=512.0))
    (1.34, 512.0)
    """
    return round((beat.time - beat.began) / 1000, 2) if beat.amount is None else beat.amount
