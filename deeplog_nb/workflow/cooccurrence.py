"""How often keys come near one another, and where one task ends by that alone (paper, 4.3).

``p_d(i, j) = f_d(i, j) / (d * f(i))`` is shown as the paper defines it. What is tested is ``d * p_d``, and of a key
that comes several times within d only the first: the share of all i that have j within d. As printed, a key that always
comes two places later would reach 1/2 and never pass, and two threads in any order would not grow with d; without the
factor they reach 1.

An entry goes on with its task where it, or one behind it, is bound to one before it: almost every i has j soon after.
That is the paper's recursive extension, done on every run of a task at once. It asks for one strong pair instead of all
of them, for a key that several tasks share is weak in each of its own pairs: what is exclusive to a task holds it
together. Two threads in any order pass at the distance of two, the paper's second rule. What is left, pieces that
always follow one another and branches, is joined in ``joining``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.entries import Entries, Mask, Shares

SEEN: Final = 5  # occurrences of a key under which its neighbours say nothing
TURNS: Final = 3  # as many keys, those that come again counted, are looked at for each different one
PAIRS: Final = {
    "distance": pl.UInt32(),
    "key": pl.UInt32(),
    "other": pl.UInt32(),
    "forward": pl.Float64(),
    "backward": pl.Float64(),
}
Matrix = npt.NDArray[np.float64]


def by_cooccurrence(entries: Entries, *, tau: float, distance: int) -> Mask:
    """Whether each entry begins a task: [M].

    >>> keys = np.array([1, 2, 3, 7, 8, 5, 6, 1, 2, 3, 5, 6, 7, 8, 5, 6, 1, 2, 3, 7, 8] * 20)
    >>> by_cooccurrence(Entries(keys, np.array([420]), np.array([1])), tau=0.9, distance=2)[:8].tolist()
    [True, False, False, True, False, True, False, True]
    """
    vocabulary = Vocabulary.of(entries.keys.tolist())
    codes = vocabulary.codes(entries.keys)
    share = near(entries, vocabulary, distance)
    begins = np.ones(len(codes), np.bool_)
    begins[1:] = (codes[1:] != codes[:-1]) | entries.firsts[1:]  # a key that is repeated at once begins nothing
    for own, other in _pairs(entries, distance):
        bound = share[codes[own], codes[other]] >= tau
        for step in range(1, int(other[0] - own[0]) + 1 if len(own) else 1):
            begins[own[bound] + step] = False
    return begins


def near(entries: Entries, vocabulary: Vocabulary, distance: int) -> Matrix:
    """Share of each code's entries with each other code within the distance after them: [C, C].

    Of a code that came fewer than 5 times nothing is said: all 0.

    >>> entries = Entries(np.array([1, 2, 2]), np.array([3]), np.array([5]))
    >>> near(entries, Vocabulary((1, 2)), 2)[2:, 2:].tolist()
    [[0.0, 1.0], [0.0, 0.5]]
    """
    met, often = counted(entries, vocabulary, distance)
    found: Matrix = met / np.where(often >= SEEN, often, np.inf)[:, None]
    return found


def counted(entries: Entries, vocabulary: Vocabulary, distance: int) -> tuple[Matrix, Shares]:
    """How many of each code's entries have each other code within the distance after them, and how many there are.

    [C, C] and [C].

    >>> met, often = counted(Entries(np.array([1, 2, 2]), np.array([3]), np.array([5])), Vocabulary((1, 2)), 2)
    >>> met[2:, 2:].tolist(), often[2:].tolist()
    ([[0.0, 5.0], [0.0, 5.0]], [5.0, 10.0])
    """
    codes, weights, size = vocabulary.codes(entries.keys), entries.weights, vocabulary.inputs
    met = np.zeros((size, size))
    for own, other in _pairs(entries, distance):
        flat = codes[own] * size + codes[other]
        met += np.bincount(flat, weights=weights[own], minlength=size**2).reshape(size, size)
    return met, np.bincount(codes, weights=weights, minlength=size).astype(np.float64)


def _pairs(entries: Entries, distance: int) -> Iterator[tuple[Ints, Ints]]:
    """Places that are near one another, those equally far apart at a time: the last one's key comes nowhere between.

    Far is counted in different keys: what comes again on the way does not count.
    """
    keys, rows = entries.keys, entries.rows
    own, far = np.arange(len(keys)), np.zeros(len(keys), np.int64)
    for apart in range(1, distance * TURNS + 1):
        inside = (own + apart < len(keys)) & (far < distance)
        own, far = own[inside], far[inside]
        same = rows[own] == rows[own + apart]
        own, far = own[same], far[same]
        nearest = np.ones(len(own), np.bool_)
        for step in range(1, apart):
            nearest &= keys[own + step] != keys[own + apart]
        yield own[nearest], own[nearest] + apart
        far = far + (nearest & (keys[own + apart] != keys[own]))


def shown(entries: Entries, distance: int) -> pl.DataFrame:
    """``distance, key, other, forward, backward``: ``p_d`` as the paper defines it, for every d up to this one.

    Forward is the other one after the key, backward before it. Pairs that never met are left out.

    >>> shown(Entries(np.array([1, 2, 2]), np.array([3]), np.array([1])), 2).filter(distance=2).drop("distance").rows()
    [(1, 2, 1.0, 0.0), (2, 1, 0.0, 0.5), (2, 2, 0.25, 0.25)]
    """
    keys, rows, weights = entries.keys, entries.rows, entries.weights
    firsts = [(apart, np.flatnonzero(rows[apart:] == rows[:-apart])) for apart in range(1, distance + 1)]
    often = pl.DataFrame({"key": keys, "weight": weights}).group_by("key").agg(often=pl.col("weight").sum())
    met = pl.concat(
        pl.DataFrame({"key": keys[at], "other": keys[at + apart], "met": weights[at]})
        .group_by("key", "other")
        .agg(pl.col("met").sum(), distance=pl.lit(apart))
        for apart, at in firsts
    )
    return pl.concat(_shown(met.filter(pl.col("distance") <= apart), often, apart) for apart, _ in firsts)


def _shown(met: pl.DataFrame, often: pl.DataFrame, distance: int) -> pl.DataFrame:
    pairs = met.group_by("key", "other").agg(pl.col("met").sum())
    back = pairs.select(key="other", other="key", back="met")
    return (
        pairs.join(back, on=["key", "other"], how="full", coalesce=True)
        .join(often, on="key")
        .select(
            distance=pl.lit(distance),
            key="key",
            other="other",
            forward=pl.col("met").fill_null(0) / (distance * pl.col("often")),
            backward=pl.col("back").fill_null(0) / (distance * pl.col("often")),
        )
        .cast(PAIRS)  # type: ignore[arg-type]
        .sort("key", "other")
    )
