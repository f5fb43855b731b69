"""The entries of the distinct sessions in a row, as every part of the search for tasks reads them.

Keys that come at random places, as a background process writes them, are told here and left out: they belong to no
task (paper, 5.5). Which entries are one task is not said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.sessions.vocabulary import FIRST, Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences

Mask = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]

OFTEN: Final = 10  # occurrences of a key under which nobody can say that its places are random
APART: Final = 0.35  # of the way from random neighbours to neighbours never met elsewhere
BESIDE: Final = 0.15  # share of the entries above which a key is no background
REGULAR: Final = 0.4  # variance over mean of a key's number in equal stretches up to which it comes at a pace


@dataclass(frozen=True)
class Entries:
    """M entries of S distinct sessions, one after another."""

    keys: Ints  # [M]
    lengths: Ints  # [S]
    counts: Ints  # [S] how many sessions each one stands for
    open_counts: Ints | int = 0  # [S] of those, how many the log's end cut off

    @classmethod
    def of(cls, sequences: Sequences) -> Entries:
        """Those of all these sequences, of open sessions as well."""
        both = sequences.counts + sequences.open_counts
        return cls(sequences.keys, sequences.lengths, both, sequences.open_counts)

    @property
    def rows(self) -> Ints:
        """Which sequence each entry is in: [M]."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def weights(self) -> Ints:
        """How often each entry occurs: [M]."""
        return np.repeat(self.counts, self.lengths)

    @property
    def firsts(self) -> Mask:
        """Whether each entry begins its session: [M]."""
        first = np.zeros(len(self.keys), np.bool_)
        first[(np.cumsum(self.lengths) - self.lengths)[self.lengths > 0]] = True
        return first

    def only(self, kept: Mask) -> Entries:
        """These entries without the others: what was around one stands side by side."""
        lengths = np.bincount(self.rows[kept], minlength=len(self.lengths)).astype(np.int64)
        return Entries(self.keys[kept], lengths, self.counts, self.open_counts)

    def sequences(self) -> Sequences:
        """The same as the windows are made from."""
        return Sequences(self.keys, self.lengths, self.counts, np.zeros_like(self.counts), pl.DataFrame())


def at_random(entries: Entries) -> tuple[int, ...]:
    """The keys whose neighbours on both sides are those of any place: they come at random, and are of no task.

    A key's neighbours are compared with all keys of the log by total variation distance, less what so few
    occurrences differ by chance; and how many come in equal stretches of the log varies as chance has it.

    >>> keys = np.array([1, 2, 3, 4] * 100)
    >>> places = np.sort(np.random.default_rng(0).integers(0, 400, 40))
    >>> noisy = np.insert(keys, places, 9)
    >>> at_random(Entries(noisy, np.array([440]), np.array([1])))
    (9,)
    """
    vocabulary = Vocabulary.of(entries.keys.tolist())
    codes = vocabulary.codes(entries.keys)
    pairs = followed(codes, entries, vocabulary.inputs)
    often = np.bincount(codes, weights=entries.weights, minlength=vocabulary.inputs).astype(np.float64)
    random = (_distance(pairs, often) < APART) & (_distance(pairs.T, often) < APART)
    random &= (often >= OFTEN) & (often <= BESIDE * often.sum())
    found = (code for code in np.flatnonzero(random).tolist() if code >= FIRST and _scatter(codes == code) > REGULAR)
    return tuple(vocabulary.keys[code - FIRST] for code in found)


def _scatter(here: Mask) -> float:
    """Variance over mean of a key's number in stretches that have one on average: 1 by chance, 0 at a regular pace."""
    size = max(round(len(here) / max(int(here.sum()), 1)), 1)
    counts = here[: len(here) // size * size].reshape(-1, size).sum(axis=1)
    return float(counts.var() / counts.mean()) if counts.any() else 0.0


def followed(codes: Ints, entries: Entries, size: int) -> Shares:
    """How often each code is followed at once by each: [C, C].

    >>> followed(np.array([0, 1, 0]), Entries(np.array([7, 8, 7]), np.array([3]), np.array([2])), 2).tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    within = ~entries.firsts[1:]
    flat = codes[:-1][within] * size + codes[1:][within]
    found = np.bincount(flat, weights=entries.weights[1:][within], minlength=size * size)
    return found.reshape(size, size).astype(np.float64)


def _distance(pairs: Shares, often: Shares) -> Shares:
    """How far each row is from the shares of all keys, less what is chance: 0 to 1."""
    usual = often / max(often.sum(), 1)
    times = np.maximum(pairs.sum(axis=1, keepdims=True), 1)
    far = np.abs(pairs / times - usual).sum(axis=1) / 2
    spread = usual * (1 - usual)
    chance = np.minimum(np.sqrt(2 * spread / (np.pi * times)), 2 * spread).sum(axis=1) / 2
    found: Shares = (far - chance) / np.maximum(1 - chance, 0.1)
    return found
