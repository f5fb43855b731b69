"""How the steps of one task follow one another, told from its runs: one before the other, in turns, or at once.

Two steps that come in either order in a significant share of the runs are concurrent. Two that come in turns
(``39 40 39 40``) are a loop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from deeplog_nb.workflow.entries import Shares
from deeplog_nb.workflow.kinds import Keys
from deeplog_nb.workflow.steps import Counted

BOTH: Final = 0.03  # share of the runs in the other order from which on two steps are concurrent
SOME: Final = 10  # runs
ENOUGH: Final = 100  # runs in which an order of 3 % would have been seen, 95 times of 100
OWN: Final = 0.8  # share of a step's runs in which it comes directly behind a thread that it is part of
MOST: Final = 5_000  # distinct runs that are compared, the most frequent ones

Pair = tuple[int, int]
NOTHING: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True)
class Order:
    """Which step comes before which; pairs of steps, which count from 1."""

    before: frozenset[Pair]
    turns: frozenset[Pair]  # of ``before``: they come in turns
    together: frozenset[Pair]  # concurrent, each pair both ways

    def last(self, done: frozenset[int]) -> frozenset[int]:
        """The steps behind which none of the others is."""
        return frozenset(one for one in done if self._behind.get(one, NOTHING).isdisjoint(done))

    def sources(self, done: frozenset[int], step: int) -> frozenset[int]:
        """Of the steps done, those directly before this one."""
        return self.last(frozenset(one for one in done if (one, step) in self.before))

    @cached_property
    def _behind(self) -> dict[int, set[int]]:
        """For each step those that it is before."""
        found: dict[int, set[int]] = defaultdict(set)
        for one, other in self.before:
            found[one].add(other)
        return found

    def excludes(self, done: frozenset[int], step: int) -> bool:
        """Whether a step done is another branch: no run has both, and no order tells how they would follow.

        >>> Order(frozenset({(1, 2), (1, 3)}), frozenset(), frozenset()).excludes(frozenset({1, 2}), 3)
        True
        """
        known = self.before, self.together
        return any(
            not any((one, step) in pairs or (step, one) in pairs for pairs in known) for one in done if one != step
        )

    def round(self, step: int) -> frozenset[int]:
        """The steps that come in turns behind this one, itself included."""
        return frozenset(other for one, other in self.turns if one == step) | {step}


def order(runs: Counted, steps: int) -> Order:
    """The order of so many steps in these runs.

    >>> found = order([((1, 2, 3, 4), 60), ((1, 3, 2, 4), 40)], 4)
    >>> sorted(found.before), sorted(found.together)
    ([(1, 2), (1, 3), (1, 4), (2, 4), (3, 4)], [(2, 3), (3, 2)])
    >>> found = order([((1, 2, 3, 2, 3, 4), 1), ((1, 2, 3, 4), 1)], 4)
    >>> sorted(found.turns), sorted(found.together)
    ([(2, 3)], [])
    """
    counted = Counter[Keys]()
    for run, count in runs:
        counted[run] += count
    usual = counted.most_common(MOST)
    often, first = _precedence(usual, steps)
    met = often * ~np.eye(steps + 1, dtype=bool)
    once = np.where(met >= SOME, 1, 0)  # in so many runs one in the other order may be a mistake
    surely = (first >= met - np.maximum(BOTH * met, once)) & (met > 0)
    before = {(a, b) for a, b in zip(*(np.nonzero(surely)), strict=True)}
    turns, together = set(), set()
    open_ = (met > 0) & ~surely & ~surely.T
    for one, other in zip(*np.nonzero(np.triu(open_, 1)), strict=True):
        pair = _in_turns(usual, int(one), int(other)) or _in_turns(usual, int(other), int(one))
        if pair:
            turns.add(pair)
        else:
            together |= {(int(one), int(other)), (int(other), int(one))}
    certain = {(int(a), int(b)) for a, b in before}
    direct = _directly(usual)
    loose = {pair for pair in certain if _by_chance(pair, certain, together, often, often - first, direct)}
    together |= loose | {(other, one) for one, other in loose}
    known = _closed(certain - loose | turns, often == 0)
    return Order(frozenset(known), frozenset(turns), frozenset(together))


def _closed(before: set[Pair], apart: npt.NDArray[np.bool_]) -> set[Pair]:
    """With the order of steps that no run has both, where others between them tell it."""
    table = np.zeros(apart.shape, np.bool_)
    for one, other in before:
        table[one, other] = True
    for between in range(len(table)):
        table |= apart & table[:, between, None] & table[None, between, :]
    return {(int(one), int(other)) for one, other in zip(*np.nonzero(table), strict=True)}


def _by_chance(
    pair: Pair, before: set[Pair], together: set[Pair], met: Shares, otherwise: Shares, directly: Counter[Pair]
) -> bool:
    """Whether a rare step was behind one of two threads by chance, and is part of the other.

    It came too rarely to say that it has to be behind both. Once it was ahead of this thread, and never of the other;
    or it follows the other one directly.
    """
    one, other = pair
    if met[other, other] >= met[one, one] / 2 or met[pair] >= ENOUGH:
        return False
    for each in range(len(met)):
        if (one, each) in together and (each, other) in before:
            less, more = sorted((otherwise[each, other], otherwise[pair]))
            if less < more:
                return bool(otherwise[pair] == more)
            if directly[each, other] >= OWN * met[other, other]:
                return True
    return False


def _directly(runs: Counted) -> Counter[Pair]:
    """How often each step comes directly behind each."""
    found = Counter[Pair]()
    for run, count in runs:
        found.update(dict.fromkeys(pairwise(run), count))
    return found


def _precedence(runs: Counted, steps: int) -> tuple[Shares, Shares]:
    """In how many runs two steps (or one) are, in how many all of the one come before all of the other: [S+1, S+1]."""
    met, first = np.zeros((steps + 1, steps + 1)), np.zeros((steps + 1, steps + 1))
    for run, count in runs:
        own = np.array(sorted(set(run)), np.int64)
        begins = np.array([run.index(step) for step in own.tolist()])
        ends = np.array([len(run) - 1 - run[::-1].index(step) for step in own.tolist()])
        both = np.ix_(own, own)
        met[both] += count
        first[both] += count * (ends[:, None] < begins[None, :])
    return met, first


def _in_turns(runs: Counted, head: int, other: int) -> Pair | None:
    """The pair, if the other comes at most once behind each head, and never without: and both are repeated."""
    fits = total = repeated = both = 0
    for run, count in runs:
        short = [step for step in run if step in (head, other)]
        if len(set(short)) < 2:
            continue
        total += count
        fits += count * (short[0] == head and not any(a == b == other for a, b in pairwise(short)))
        repeated += count * (short.count(head) > 1)
        both += count * (short.count(head) > 1 and short.count(other) > 1)
    return (head, other) if fits > (1 - BOTH) * total and 2 * both >= repeated > 0 else None
