"""The rules that any method must beat: a key never seen, a session too short or too long, a pair never seen."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.baselines.whole import whole
from deeplog_nb.sessions.vectors import count_vectors
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, sequences

_ALL: Final = "the training sessions, all of them allowed"


class UnseenKey:
    """A session with a key that no training session has."""

    source = _ALL

    def fit(self, sessions: pl.DataFrame) -> UnseenKey:
        """Learn the keys that there are."""
        self._vocabulary = Vocabulary.of(sessions["key"].unique().to_list())
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the number of unseen keys."""
        distinct = sequences(sessions)
        unseen = count_vectors(distinct, self._vocabulary)[:, -1]
        return whole(sessions, distinct, unseen.astype(float), 0.0, rule="unseen", what="unseen keys")


class SessionLength:
    """A session that is shorter or longer than any training session."""

    source = _ALL

    def fit(self, sessions: pl.DataFrame) -> SessionLength:
        """Learn the shortest and the longest length."""
        lengths = sequences(sessions).lengths
        self.shortest, self.longest = int(lengths.min()), int(lengths.max())
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is how many keys are missing, or are too many."""
        distinct = sequences(sessions)
        off = np.maximum(self.shortest - distinct.lengths, distinct.lengths - self.longest)
        what = f"keys beyond the {self.shortest} to {self.longest} of training"
        return whole(sessions, distinct, np.maximum(off, 0).astype(float), 0.0, rule="short", what=what)


class Bigrams:
    """A session with two neighbouring keys that are neighbours in no training session; start and end count as keys."""

    source = _ALL

    def fit(self, sessions: pl.DataFrame) -> Bigrams:
        """Learn the pairs that there are."""
        distinct = sequences(sessions)
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        pairs, _ = self._pairs(distinct.keys, distinct.lengths)
        self._known = np.unique(pairs)
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the number of unseen pairs."""
        distinct = sequences(sessions)
        pairs, rows = self._pairs(distinct.keys, distinct.lengths)
        new = np.bincount(rows, weights=~np.isin(pairs, self._known), minlength=len(distinct.lengths)).astype(
            np.float64
        )
        return whole(sessions, distinct, new, 0.0, rule="unlikely", what="unseen pairs")

    def _pairs(self, keys: Ints, lengths: Ints) -> tuple[Ints, Ints]:
        """Each pair as one number, and the sequence that it is in; code 0 stands before the start and after the end."""
        rows = np.repeat(np.arange(len(lengths)), lengths + 2)
        firsts = np.cumsum(lengths + 2) - (lengths + 2)
        codes = np.zeros(len(rows), np.int64)
        inner = np.ones(len(rows), np.bool_)
        inner[firsts] = inner[firsts + lengths + 1] = False
        codes[inner] = self._vocabulary.codes(keys)
        within = rows[:-1] == rows[1:]
        return (codes[:-1] * self._vocabulary.inputs + codes[1:])[within], rows[:-1][within]
