"""The n-gram model that the paper compares itself with (§5.1.3): how often did this key follow those n keys?

Maximum likelihood, no smoothing: what never followed has probability 0 and the last rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.expected import Chances, history_codes, most_probable
from deeplog_nb.models.ranks import spread
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences, Windows, sequences, windows


@dataclass(frozen=True)
class NGramSettings:
    """What is looked back on, and whether a session's ends are part of it."""

    n: int = 1  # keys looked back on; the paper's best
    start: bool = True  # pad a session's beginning; without it the first n keys are not judged
    end: bool = True  # count the end of a session as a key


class NGram:
    """Counts of what followed each n keys: ``fit`` on normal sessions, then ``rank`` any, as a KeyModel does.

    >>> from deeplog_nb.frames import SESSIONS
    >>> rows = [("a", at, key, 1, False) for at, key in enumerate([1, 2, 1, 2, 1, 3])]
    >>> sessions = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> NGram(1, start=False, end=False).fit(sessions).rank(sessions)["rank"].to_list()
    [None, 1, 1, 1, 1, 2, None]
    """

    def __init__(self, n: int = 1, *, start: bool = True, end: bool = True) -> None:
        if n < 1:
            raise InputError(f"n is {n}; it counts the keys looked back on and must be at least 1")
        self.settings = NGramSettings(n, start, end)
        self._vocabulary: Vocabulary | None = None
        self._table = pl.DataFrame()

    def fit(self, train: pl.DataFrame) -> NGram:
        """Count what followed what in these normal sessions."""
        distinct = sequences(train)
        self._vocabulary = Vocabulary.of(distinct.keys.tolist())
        found = self._windows(distinct)
        counted = (
            _as_frame(found)
            .with_columns(count=pl.Series(found.counts))
            .filter(pl.col("count") > 0, pl.col("next") >= 0)
        )
        history = pl.col("history")
        self._table = counted.select(
            history,
            "next",
            "count",
            probability=(pl.col("count") / pl.col("count").sum().over(history)).cast(pl.Float32),
            rank=pl.col("count").rank("min", descending=True).over(history).cast(pl.UInt16),
        )
        return self

    def rank(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """RANKS: rank and probability of every entry and end; what never followed ranks last."""
        distinct = sequences(sessions)
        found = self._windows(distinct)
        last = pl.lit(self.vocabulary.end + self.settings.end, pl.UInt16)
        known = pl.col("next") >= 0
        looked_up = (
            _as_frame(found)
            .join(self._table, on=["history", "next"], how="left", maintain_order="left")
            .select(
                rank=pl.when(known).then(pl.col("rank").fill_null(last)),
                probability=pl.col("probability").fill_null(pl.lit(0.0, pl.Float32)),
            )
        )
        at = pl.Series(found.of_entry)
        entries = looked_up.select(pl.all().gather(at.set(at < 0, None)))
        chance = pl.when(pl.Series(found.unknown)).then(0.0).otherwise("probability").cast(pl.Float32)
        return spread(sessions, distinct, entries["rank"], entries.select(chance.alias("own"))["own"])

    def expect(self, history: Sequence[int], most: int = 5) -> pl.DataFrame:
        """``key, probability``: what most often followed these keys; key null is the end, no row what never came.

        ``history`` are the keys since the session began, or the last n of them.
        """
        codes = history_codes(self.vocabulary, history, self.history)
        return most_probable(self.vocabulary, self.chances(codes[None])[0], most).filter(pl.col("probability") > 0)

    def chances(self, histories: Ints, *, shorter: Chances | None = None) -> Chances:
        """Probability of every next-code after each of these histories of codes: [N, n] -> [N, C].

        All 0 for a history that never came. With what a ``shorter`` model says, [N, C], that counts as one more
        occurrence: what was seen but a few times is not certain yet.
        """
        asked = pl.DataFrame({"history": _lists(histories)}).with_row_index("row")
        found = asked.join(self._table, on="history")
        counts = np.zeros((len(histories), self.vocabulary.end + self.settings.end), np.float32)
        counts[found["row"].to_numpy(), found["next"].to_numpy()] = found["count"].to_numpy()
        if shorter is not None:
            counts += shorter
        chances: Chances = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-30)
        return chances

    @property
    def history(self) -> int:
        """How many keys it looks back on."""
        return self.settings.n

    @property
    def vocabulary(self) -> Vocabulary:
        """The keys that the model knows; an error before it is fitted."""
        if self._vocabulary is None:
            raise ModelError("this NGram is not fitted yet; call fit(sessions) first")
        return self._vocabulary

    def _windows(self, distinct: Sequences) -> Windows:
        s = self.settings
        return windows(distinct, self.vocabulary, s.n, start=s.start, end=s.end)


def _as_frame(found: Windows) -> pl.DataFrame:
    """``history`` as a list of codes, and ``next``."""
    return pl.DataFrame({"history": _lists(found.histories), "next": found.nexts})


def _lists(histories: Ints) -> pl.Series:
    width = histories.shape[1]
    return pl.Series(np.ascontiguousarray(histories), dtype=pl.Array(pl.Int64, width)).arr.to_list()
