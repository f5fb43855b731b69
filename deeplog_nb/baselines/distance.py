"""Distance of a session's counts to the nearest training session's: no order, no learning, hard to beat.

Source: count vectors of Landauer, Skopik and Wurzenberger (FSE 2024), whose threshold is of unstated origin; ours is
the distance that training sessions, each left out in turn, keep to the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.baselines.whole import whole
from deeplog_nb.sessions.budget import allowed
from deeplog_nb.sessions.vectors import count_vectors
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, sequences

Reals = npt.NDArray[np.float64]


class CountDistance:
    """How much of the counts would have to change to be those of a training session: 0 none, 1 all."""

    def __init__(self, *, rate: float = 1e-3) -> None:
        self.rate = rate
        self.source = "not fitted"

    def fit(self, sessions: pl.DataFrame) -> CountDistance:
        """Learn the vectors that there are, and how far one that is alone keeps from the others."""
        distinct = sequences(sessions)
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        self._vectors, at = np.unique(count_vectors(distinct, self._vocabulary), axis=0, return_inverse=True)
        weights = np.bincount(at.ravel(), weights=distinct.counts + distinct.open_counts)
        apart = nearest(self._vectors, self._vectors, itself=False)
        alone = np.sort(apart[weights == 1])[::-1]  # a session with a twin is at no distance from training
        most = allowed(int(weights.sum()), self.rate)
        self.bound = float(alone[most]) if len(alone) > most else 0.0
        flagged = int((alone > self.bound).sum())
        self.source = (
            f"training sessions, each left out in turn: rate {self.rate:g}, {flagged} of {weights.sum():.0f} over"
        )
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the distance to the nearest training vector."""
        distinct = sequences(sessions)
        vectors, at = np.unique(count_vectors(distinct, self._vocabulary), axis=0, return_inverse=True)
        scores = np.where(vectors[:, -1] > 0, 1.0, nearest(vectors, self._vectors))[at.ravel()]  # unseen: farthest off
        return whole(sessions, distinct, scores, self.bound, rule="counts", what="distance")


def nearest(vectors: Ints, known: Ints, *, itself: bool = True) -> Reals:
    """Distance of each vector to the nearest known one; without ``itself``, of each to another one: [S].

    The distance is the sum of differences over the sum of the larger counts.

    >>> nearest(np.array([[3, 0], [1, 1]]), np.array([[2, 0]])).round(2).tolist()
    [0.33, 0.67]
    """
    found = np.empty(len(vectors))
    for at, vector in enumerate(vectors):  # distinct count vectors: a few hundred on HDFS
        larger = np.maximum(known, vector).sum(axis=1)
        distances = np.abs(known - vector).sum(axis=1) / np.maximum(larger, 1)
        found[at] = np.min(distances if itself else np.delete(distances, at), initial=1.0)
    return found
