"""Invariant mining: linear relations, with small whole coefficients, that the counts of normal sessions keep.

Source: Lou, Fu, Yang, Xu, Li (USENIX ATC 2010): an invariant holds in at least 98 % of the training sessions and is
sparse; a session that breaks one is an anomaly. Their search by null spaces is done here for all subsets of up to
three keys at once; a set that holds an invariant already is not extended.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.baselines.whole import whole
from deeplog_nb.sessions.vectors import count_vectors
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, sequences

LARGEST: Final = 5  # coefficient
LONGEST: Final = 3  # keys in one invariant; theirs on HDFS have no more
KEYS: Final = 100  # the most frequent ones are searched: the search grows with their third power
Reals = npt.NDArray[np.float64]


class Invariants:
    """Sessions that break a relation such as ``2 x key 5 = key 22``, mined from normal ones."""

    def __init__(self, *, support: float = 0.98) -> None:
        self.support = support
        self.source = "not fitted"

    def fit(self, sessions: pl.DataFrame) -> Invariants:
        """Mine the relations; that there are no unknown keys is one of them."""
        distinct = sequences(sessions)
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        vectors, at = np.unique(count_vectors(distinct, self._vocabulary), axis=0, return_inverse=True)
        weights = np.bincount(at.ravel(), weights=distinct.counts + distinct.open_counts).astype(np.float64)
        self.relations = mine(vectors, weights, self.support)  # [R, K]
        self.source = f"{len(self.relations)} relations that {self.support:.0%} of the training sessions keep"
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the number of broken relations."""
        distinct = sequences(sessions)
        vectors = count_vectors(distinct, self._vocabulary)
        broken = (vectors @ self.relations.T != 0).sum(axis=1).astype(float)
        return whole(sessions, distinct, broken, 0.0, rule="counts", what="broken invariants")


def mine(vectors: Ints, weights: Reals, support: float) -> Ints:
    """The relations, a row of coefficients each, that enough of the vectors keep: [R, K].

    >>> mine(np.array([[1, 2, 5], [2, 4, 1], [3, 6, 2]]), np.ones(3), 0.98).tolist()
    [[-2, 1, 0]]
    """
    searched = np.sort(np.argsort(-(weights @ vectors), kind="stable")[:KEYS])
    found: list[Ints] = []
    inside: list[frozenset[int]] = []  # the keys of each
    for size in range(1, LONGEST + 1):
        subsets = [each for each in combinations(searched.tolist(), size) if not any(s <= {*each} for s in inside)]
        kept = _kept(vectors, weights, np.array(subsets, dtype=np.int64).reshape(-1, size), support)
        found += kept
        inside += [frozenset(np.flatnonzero(row).tolist()) for row in kept]
    return np.array(found, dtype=np.int64).reshape(-1, vectors.shape[1])


def _kept(vectors: Ints, weights: Reals, subsets: Ints, support: float) -> list[Ints]:
    """For each subset of columns the relation closest to all vectors, if it is whole, small and kept."""
    if not len(subsets):
        return []
    gram = (vectors * weights[:, None]).T @ vectors  # [K, K]
    _, directions = np.linalg.eigh(gram[subsets[:, :, None], subsets[:, None, :]].astype(np.float64))
    nearest = directions[:, :, 0]  # [subsets, size] what the vectors lie closest to being at right angles to
    smallest = np.abs(nearest).min(axis=1, keepdims=True)
    scaled = nearest / np.maximum(smallest, 1e-12)
    relations = np.zeros((len(subsets), vectors.shape[1]), np.int64)
    np.put_along_axis(relations, subsets, np.rint(np.clip(scaled, -LARGEST - 1, LARGEST + 1)).astype(np.int64), axis=1)
    small = (np.abs(relations).max(axis=1) <= LARGEST) & (smallest[:, 0] > 1e-6)
    keeping = weights @ (vectors @ relations.T == 0) / weights.sum()  # [subsets]
    return [*relations[small & (keeping >= support)]]
