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


def in_turn(histories: Ints, nexts: Ints, ask: Callable[[Ints], Chances], *, tau: float) -> Mask:
    """Whether each next-code begins one of several tasks that come in turn: [N, h], [N] -> [N].

    ``ask`` tells the probability of every next-code after each history.

    >>> step = {0: [0.5, 0, 0.5, 0], 1: [0, 1.0, 0, 0], 3: [0, 0, 0, 1.0]}  # codes 0 1 or 2 3, in any order
    >>> table = np.array([step.get(code, step[0]) for code in (0, 0, 1, 0, 3, 0)])
    >>> in_turn(np.array([[3], [2], [5]]), np.array([0, 1, 2]), lambda own: table[own[:, -1]], tau=0.9).tolist()
    [True, False, True]
    """
    distinct, back = np.unique(histories, axis=0, return_inverse=True)
    likely = _likely(ask(distinct), tau)
    found = np.zeros(len(distinct), np.bool_)
    splits = np.flatnonzero(likely.sum(axis=1) > 1)
    found[splits] = _all_return(distinct[splits], likely[splits], ask, tau)
    told: Mask = found[back.ravel()] & likely[back.ravel(), nexts]
    return told


def _likely(chances: Chances, tau: float) -> Mask:
    """The fewest keys that together are certain, if there are: [N, K]."""
    order = np.argsort(-chances, axis=1, kind="stable")
    falling = np.take_along_axis(chances, order, axis=1)
    ahead = np.cumsum(falling, axis=1) - falling
    found = np.zeros(chances.shape, np.bool_)
    np.put_along_axis(found, order, (ahead < tau) & (falling >= LEAST), axis=1)
    return found


def _all_return(histories: Ints, likely: Mask, ask: Callable[[Ints], Chances], tau: float) -> Mask:
    """Whether each candidate leads back to the same divergence, by keys that no other one leads to: [S]."""
    rows, keys = np.nonzero(likely)
    back, passed = _followed(_with(histories[rows], keys), likely[rows], ask, tau)
    times = np.zeros(likely.shape, np.int64)
    np.add.at(times, rows, passed)
    missed = np.bincount(rows[~back], minlength=len(likely))
    found: Mask = (missed == 0) & (times <= 1).all(axis=1)
    return found


def _followed(histories: Ints, wanted: Mask, ask: Callable[[Ints], Chances], tau: float) -> tuple[Mask, Mask]:
    """Whether the most probable way from each history comes where the wanted keys are likely, and its keys: [P, K].

    Not before something was certain on it.
    """
    back, certain, passed = np.zeros(len(wanted), np.bool_), np.zeros(len(wanted), np.bool_), np.zeros_like(wanted)
    passed[np.arange(len(wanted)), histories[:, -1] - FIRST] = True
    left = np.arange(len(wanted))
    for _ in range(LONGEST):
        if not len(left):
            break
        chances = ask(histories[left])
        top, sure = chances.argmax(axis=1), chances.max(axis=1) >= tau
        back[left] = certain[left] & ~sure & ~(wanted[left] & (chances < LEAST)).any(axis=1)
        on = ~back[left] & ~wanted[left, top]
        left, top, sure = left[on], top[on], sure[on]
        certain[left] |= sure
        passed[left, top] = True
        histories[left] = _with(histories[left], top)
    return back, passed


def _with(histories: Ints, nexts: npt.NDArray[np.integer]) -> Ints:
    """The histories with one key more."""
    return np.column_stack([histories[:, 1:], nexts + FIRST]).astype(np.int64)
