"""PCA of count vectors with the Q-statistic: what the main directions of the training sessions do not explain.

Source: Xu, Huang, Fox, Patterson, Jordan (SOSP 2009), with their tf-idf weights, 95 % of the variance and
alpha = 0.001; the threshold Q_alpha is that of Jackson and Mudholkar (Technometrics 1979), no choice of ours.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.baselines.whole import whole
from deeplog_nb.sessions.vectors import count_vectors
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import sequences

Reals = npt.NDArray[np.float64]


class PrincipalComponents:
    """Squared prediction error in the residual subspace, over Q_alpha an anomaly."""

    def __init__(self, *, explained: float = 0.95, alpha: float = 0.001, idf: bool = True) -> None:
        self.explained, self.alpha, self.idf = explained, alpha, idf
        self.source = "not fitted"

    def fit(self, sessions: pl.DataFrame) -> PrincipalComponents:
        """Learn weights, mean, principal directions and Q_alpha; keys that training lacks have no column."""
        distinct = sequences(sessions)
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        vectors = count_vectors(distinct, self._vocabulary)[:, :-1].astype(np.float64)  # [S, K]
        counts = (distinct.counts + distinct.open_counts).astype(np.float64)  # [S]
        documents = counts @ (vectors > 0)  # [K] sessions with each key
        self._weights = np.log(counts.sum() / documents) if self.idf else np.ones(len(documents))
        weighted = vectors * self._weights
        self._mean = np.average(weighted, axis=0, weights=counts)
        centred = weighted - self._mean
        variances, directions = np.linalg.eigh((centred * counts[:, None]).T @ centred / counts.sum())
        variances, directions = np.maximum(variances[::-1], 0), directions[:, ::-1]  # the largest first
        total = variances.sum()  # 0 where all sessions are alike: then any other is an anomaly
        kept = int(np.searchsorted(np.cumsum(variances) / total, self.explained)) + 1 if total else 0
        self._residual = directions[:, kept:]  # [K, K - kept]
        self.bound = q_alpha(variances[kept:], self.alpha)
        self.source = (
            f"Q-statistic of the training part: alpha {self.alpha:g}, {kept} directions for {self.explained:.0%}"
        )
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the squared prediction error."""
        distinct = sequences(sessions)
        vectors = count_vectors(distinct, self._vocabulary)[:, :-1] * self._weights - self._mean
        errors = np.square(vectors @ self._residual).sum(axis=1)
        return whole(sessions, distinct, errors, self.bound, rule="counts", what="squared prediction error")


def q_alpha(variances: Reals, alpha: float) -> float:
    """The squared prediction error that normal sessions exceed with probability alpha.

    ``variances`` are the residual eigenvalues. With one of 1 it is nearly the chi-square of one degree, 3.8.

    >>> round(q_alpha(np.array([1.0]), 0.05), 1)
    3.7
    """
    first, second, third = (float((variances**power).sum()) for power in (1, 2, 3))
    if not first:
        return 0.0
    h = 1 - 2 * first * third / (3 * second**2)
    level = NormalDist().inv_cdf(1 - alpha)
    if h > 0:
        inner = level * h * np.sqrt(2 * second) / first + 1 + second * h * (h - 1) / first**2
        return float(first * inner ** (1 / h))
    freedom = first**2 / second  # one large variance among many: the formula fails, Box's scaled chi-square holds
    return float(first * (1 - 2 / (9 * freedom) + level * np.sqrt(2 / (9 * freedom))) ** 3)
