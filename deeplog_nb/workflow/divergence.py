"""Divergence points from which each way on is a task of its own (paper, 4.2: *new task*).

Two short tasks in any order look like threads: within a few keys more the other one has always begun. What tells them
apart is that each candidate makes new keys certain, that no other one leads to, and that the same divergence comes
again behind them: a whole task is over then. Threads of one task meet one another before, branches meet again behind,
and a loop's body is on both ways. So two tasks that share a key are not told apart here, nor is a task of a single key;
where a model looks back on less than a thread, threads that never mix are tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from deeplog_nb.models.expected import Chances
from deeplog_nb.sessions.vocabulary import FIRST
from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.entries import Mask

LEAST: Final = 0.02  # probability under which a key is no candidate
LONGEST: Final = 64  # keys of a task that a way is followed for


def in_turn(histories: Ints, ask: Callable[[Ints], Chances], *, tau: float) -> Mask:
    """Which next-codes begin one of several tasks that come in turn, behind each history: [N, h] -> [N, K].

    ``ask`` tells the probability of every next-code after each history.

    >>> step = {2: [0, 1.0, 0, 0], 4: [0, 0, 0, 1.0]}  # next-codes 0 1 or 2 3, in any order
    >>> table = np.array([step.get(code, [0.5, 0, 0.5, 0]) for code in range(6)])
    >>> in_turn(np.array([[2], [3]]), lambda own: table[own[:, -1]], tau=0.9).tolist()
    [[False, False, False, False], [True, False, True, False]]
    """
    found = _likely(ask(histories), tau)
    splits = np.flatnonzero(found.sum(axis=1) > 1)
    whole = _all_return(histories[splits], found[splits], ask, tau)
    found[np.setdiff1d(np.arange(len(found)), splits[whole])] = False
    return found


def _likely(chances: Chances, tau: float) -> Mask:
    """The fewest keys that together are certain, if there are: [N, K]."""
    order = np.argsort(-chances, axis=1, kind="stable")
    falling = np.take_along_axis(chances, order, axis=1)
    ahead = np.cumsum(falling, axis=1) - falling
    found = np.zeros(chances.shape, np.bool_)
    np.put_along_axis(found, order, (ahead < tau) & (falling >= LEAST), axis=1)
    return found


def _all_return(histories: Ints, likely: Mask, ask: Callable[[Ints], Chances], tau: float) -> Mask:
    """Whether each candidate leads back to the same divergence, by keys that no other one leads to: [S].

    The most probable way is followed; it has to be certain somewhere before it is back.
    """
    rows, keys = np.nonzero(likely)
    left = np.arange(len(rows))
    ways, certain = _with(histories[rows], keys), np.zeros(len(rows), np.bool_)
    lost, owner = np.zeros(len(likely), np.bool_), np.full(likely.shape, -1)
    owner[rows, keys] = left
    for _ in range(LONGEST):
        left = left[~lost[rows[left]]]
        if not len(left):
            break
        chances = ask(ways[left])
        top, sure = chances.argmax(axis=1), chances.max(axis=1) >= tau
        on = sure | ~certain[left] | (likely[rows[left]] & (chances < LEAST)).any(axis=1)
        left, top, sure = left[on], top[on], sure[on]
        lost[rows[left[likely[rows[left], top] | _met(owner, rows[left], top, left)]]] = True
        certain[left] |= sure
        ways[left] = _with(ways[left], top)
    lost[rows[left]] = True
    return ~lost


def _met(owner: Ints, rows: Ints, keys: Ints, ways: Ints) -> Mask:
    """Whether each way comes on a key that another one of its row has: [P]. The keys are its own from now on."""
    before = owner[rows, keys]
    owner[rows, keys] = ways
    met: Mask = ((before >= 0) & (before != ways)) | (owner[rows, keys] != ways)
    return met


def _with(histories: Ints, nexts: npt.NDArray[np.integer]) -> Ints:
    """The histories with one key more."""
    return np.column_stack([histories[:, 1:], nexts + FIRST]).astype(np.int64)
