"""TF-IDF LSTM: a supervised rival that the paper trains with abnormal sessions too (§5.1.3, Table 4).

The paper says no more than the name. As in the work it cites (an LSTM on tf-idf vectors of log windows; Zhang,
Sridhar, Ma, Knight, Murthy, BigData 2016), a session's keys are read in windows, each window is a vector of tf-idf
weights, and an LSTM over the session's windows says whether it is abnormal. Its labels are training labels only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F  # noqa: N812 the name that everybody uses
from torch import Tensor, nn

from deeplog_nb.baselines.whole import whole
from deeplog_nb.models.training import Training, pick_device, train, training_device
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences, sequences

WINDOW: Final = 10  # keys in a window, the h of the others
LONGEST: Final = 8  # windows of a session that are read, the first; training sessions have five at most
BOUND: Final = 0.5  # more likely abnormal than not: what a classifier says without any choice of ours


class TfidfNetwork(nn.Module):
    """LSTM over a session's window vectors; one score from the last step. Axes: B batch, T windows, K keys."""

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(size, units, batch_first=True)
        self.score = nn.Linear(units, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        """Log odds of being abnormal."""
        hidden, _ = self.lstm(vectors)  # [B, T, U]
        scores: Tensor = self.score(hidden[:, -1])[:, 0]  # [B]
        return scores


class TfidfLSTM:
    """An LSTM on tf-idf vectors: ``fit`` on normal *and* abnormal sessions, then ``judge`` others."""

    def __init__(self, *, units: int = 64, training: Training | None = None) -> None:
        self.units = units
        self.training = training or Training(rate=1e-3)
        self.source = f"probability {BOUND:g}: more likely abnormal than not, by its training labels"

    def fit(self, sessions: pl.DataFrame, abnormal: pl.DataFrame) -> TfidfLSTM:
        """Learn to tell these normal sessions from these abnormal ones."""
        both = pl.concat([sessions, abnormal])
        distinct = sequences(both)
        wrong = distinct.of_session.with_columns(wrong=pl.col("session").is_in(abnormal["session"].unique().implode()))
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        self._weights = self._rarity(distinct)
        told = wrong.group_by("sequence").agg(pl.col("wrong").mean()).sort("sequence")["wrong"].to_numpy()
        device = pick_device(self.training.device)
        vectors = self._vectors(distinct).to(device)  # [S, T, K]
        labels = torch.from_numpy(told.astype(np.float32)).to(device)  # [S]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            network = self._network = TfidfNetwork(vectors.shape[-1], self.units).to(device)

        def loss(batch: Tensor) -> Tensor:
            return F.binary_cross_entropy_with_logits(network(vectors[batch]), labels[batch], reduction="none")

        for _ in train(network, loss, torch.from_numpy(distinct.counts.astype(np.float32)), None, self.training):
            pass
        return self

    @torch.no_grad()
    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is the probability of being abnormal."""
        distinct = sequences(sessions)
        network = self._network.eval()
        parts = self._vectors(distinct).to(training_device(network)).split(1024)
        scores = torch.cat([network(part).sigmoid().cpu() for part in parts]).numpy()
        return whole(sessions, distinct, scores, BOUND, rule="unlikely", what="probability of being abnormal")

    def _rarity(self, distinct: Sequences) -> Ints:
        """The idf of each key over training sessions, and of unknown keys: that of a key in one session."""
        rows, codes = self._rows(distinct)
        held = np.zeros((len(distinct.lengths), self._vocabulary.inputs), np.bool_)
        held[rows, codes] = True
        sessions = distinct.counts @ held  # [V] sessions with each key
        weights: Ints = np.log((1 + distinct.counts.sum()) / (1 + sessions)) + 1
        return weights

    def _vectors(self, distinct: Sequences) -> Tensor:
        """tf-idf of each window, windows of zeros before short sessions: [S, T, V]."""
        rows, codes = self._rows(distinct)
        starts = np.cumsum(distinct.lengths) - distinct.lengths
        window = (np.arange(len(codes)) - starts[rows]) // WINDOW
        windows = np.minimum((distinct.lengths + WINDOW - 1) // WINDOW, LONGEST)
        kept = window < LONGEST
        place = LONGEST - windows[rows] + window  # the last window last, where the LSTM's state is read
        counts = np.zeros((len(distinct.lengths), LONGEST, self._vocabulary.inputs), np.float32)
        np.add.at(counts, (rows[kept], place[kept], codes[kept]), 1 / WINDOW)
        return torch.from_numpy(counts * self._weights.astype(np.float32))

    def _rows(self, distinct: Sequences) -> tuple[Ints, Ints]:
        codes = self._vocabulary.codes(distinct.keys)
        return np.repeat(np.arange(len(distinct.lengths)), distinct.lengths), codes
