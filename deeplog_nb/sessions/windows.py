"""SESSIONS -> distinct (history, next) pairs with counts. The only place where frames become arrays.

Identical sessions are taken once, identical windows are taken once, and counts go along: HDFS has 95,125
training entries and 4,727 distinct windows. What is computed for a distinct window comes back to every
entry by index, so nothing is approximated.

Axes: N distinct windows, h history, M entries of the distinct sessions (end rows included).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import SESSIONS, check
from deeplog_nb.sessions.vocabulary import BEFORE, FIRST, UNKNOWN, Vocabulary

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """Distinct sessions: their keys end to end, and for each session of the frame which of them it is."""

    keys: Ints  # [sum of lengths]
    lengths: Ints  # [S]
    counts: Ints  # [S] how many closed sessions each one stands for
    open_counts: Ints  # [S] and how many open ones
    of_session: pl.DataFrame  # session -> sequence


@dataclass(frozen=True)
class Windows:
    """Distinct histories, what came next, how often, and where each entry of the sequences went."""

    histories: Ints  # [N, h] codes
    nexts: Ints  # [N] next-codes; -1 is a key that the model does not know
    counts: Ints  # [N]
    of_entry: Ints  # [M] -> N; every sequence's entries in order, its end row last; -1 is no window
    unknown: npt.NDArray[np.bool_]  # [M] whether the entry's key is none that the model knows


def sequences(sessions: pl.DataFrame) -> Sequences:
    """The distinct key sequences of these sessions."""
    listed = (
        check(sessions, SESSIONS, "sessions")
        .group_by("session", maintain_order=True)
        .agg("key", pl.col("count").first(), pl.col("open").first())
    )
    closed = pl.col("count") * ~pl.col("open")
    distinct = (
        listed.group_by("key", maintain_order=True)
        .agg(closed=closed.sum(), open=(pl.col("count") - closed).sum())
        .with_row_index("sequence")
    )
    of_session = listed.join(distinct.select("key", "sequence"), on="key", maintain_order="left", nulls_equal=True)
    return Sequences(
        distinct["key"].explode(empty_as_null=False).to_numpy().astype(np.int64),
        distinct["key"].list.len().to_numpy().astype(np.int64),
        distinct["closed"].to_numpy().astype(np.int64),
        distinct["open"].to_numpy().astype(np.int64),
        of_session.select("session", "sequence"),
    )


def windows(
    sequences: Sequences,
    vocabulary: Vocabulary,
    history: int,
    *,
    start: bool = True,
    end: bool = True,
    unknown: bool = True,
) -> Windows:
    """Every entry's history and next key, each distinct pair once.

    Without ``start`` there is no padding: an entry with fewer than ``history`` keys before it has no window.
    Without ``end`` the end of a session is nothing to predict. Without ``unknown`` there is no window where a
    history holds a key that the model does not know. Open sessions have not ended: theirs is
    looked up, but counts 0.

    >>> from deeplog_nb.sessions.windows import Sequences
    >>> one = Sequences(np.array([22, 5, 11, 9, 11, 26]), np.array([6]), np.array([1]), np.array([0]), pl.DataFrame())
    >>> found = windows(one, Vocabulary.of(one.keys.tolist()), 3, start=False, end=False)
    >>> [[Vocabulary.of(one.keys.tolist()).keys[c - 2] for c in row] for row in found.histories.tolist()]
    [[22, 5, 11], [5, 11, 9], [11, 9, 11]]
    """
    rows, positions = _rows(sequences.lengths)
    codes = vocabulary.codes(sequences.keys)
    histories = _histories(codes, sequences.lengths, rows, positions, history)
    nexts, weights = _nexts(codes, sequences, rows, positions, vocabulary)
    is_end = positions == sequences.lengths[rows]
    strange = (histories == UNKNOWN).any(axis=1)
    kept = (start | (positions >= history)) & (end | ~is_end) & (unknown | ~strange)
    first, of_kept = _distinct(histories[kept], nexts[kept], vocabulary.inputs)
    of_entry = np.full(len(rows), -1, np.int64)
    of_entry[kept] = of_kept
    counts = np.bincount(of_kept, weights=weights[kept], minlength=len(first)).astype(np.int64)
    return Windows(histories[kept][first], nexts[kept][first], counts, of_entry, nexts < 0)


def pairs(
    histories: Sequence[Sequence[int]],
    nexts: Sequence[int | None],
    vocabulary: Vocabulary,
    history: int,
    *,
    start: bool = True,
    end: bool = True,
    unknown: bool = True,
) -> Windows:
    """The same of keys that are already cut: the last ones before each entry, and its own key, None for an end.

    A history that is shorter than ``history`` is that of a session that has no more keys. A key that the model does
    not know has no window.

    >>> found = pairs([[7, 5, 7], [5]], [5, None], Vocabulary((5, 7)), 3)
    >>> found.histories.tolist(), found.nexts.tolist()
    ([[3, 2, 3], [0, 0, 2]], [0, 2])
    """
    rows, lengths = len(histories), np.array([len(each) for each in histories], dtype=np.int64)
    flat = np.array([key for each in histories for key in each], dtype=np.int64)
    codes = np.full((rows, history), BEFORE, np.int64)
    codes[np.arange(history) >= history - lengths[:, None]] = vocabulary.codes(flat)
    is_end = np.array([key is None for key in nexts], dtype=np.bool_)
    own = vocabulary.codes(np.array([key or 0 for key in nexts], dtype=np.int64))
    following = np.where(is_end, vocabulary.end, np.where(own >= FIRST, own - FIRST, -1))
    strange = (codes == UNKNOWN).any(axis=1)
    kept = (start | (lengths >= history)) & (end | ~is_end) & (unknown | ~strange) & (following >= 0)
    of_entry = np.where(kept, kept.cumsum() - 1, -1)
    return Windows(codes[kept], following[kept], np.ones(int(kept.sum()), np.int64), of_entry, following < 0)


def _rows(lengths: Ints) -> tuple[Ints, Ints]:
    """For each entry and each end row: its sequence, and its position in it."""
    sizes = lengths + 1
    rows = np.repeat(np.arange(len(lengths)), sizes)
    starts = np.cumsum(sizes) - sizes
    return rows, np.arange(len(rows)) - starts[rows]


def _histories(codes: Ints, lengths: Ints, rows: Ints, positions: Ints, history: int) -> Ints:
    starts = np.cumsum(lengths) - lengths
    back = np.arange(history, 0, -1)  # [h] how many keys before
    inside = positions[:, None] >= back  # [M, h]
    at = np.where(inside, starts[rows][:, None] + positions[:, None] - back, 0)
    return np.where(inside, codes[at] if len(codes) else BEFORE, BEFORE)  # [M, h]


def _nexts(codes: Ints, sequences: Sequences, rows: Ints, positions: Ints, vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    starts = np.cumsum(sequences.lengths) - sequences.lengths
    is_end = positions == sequences.lengths[rows]
    at = np.minimum(starts[rows] + positions, max(len(codes) - 1, 0))
    key = np.where(codes[at] >= FIRST, codes[at] - FIRST, -1) if len(codes) else np.full(len(rows), -1)
    both = sequences.counts + sequences.open_counts
    return np.where(is_end, vocabulary.end, key), np.where(is_end, sequences.counts[rows], both[rows])


def _distinct(histories: Ints, nexts: Ints, inputs: int) -> tuple[Ints, Ints]:
    """Index of the first of each distinct (history, next), in order, and each row's number among them."""
    packed = pl.DataFrame(_pack(np.column_stack([histories, nexts + 1]), inputs + 1)).with_row_index("row")
    words = [name for name in packed.columns if name != "row"]
    firsts = packed.group_by(words, maintain_order=True).agg(pl.col("row").first()).with_row_index("number")
    numbers = packed.join(firsts.select("number", *words), on=words, how="left", maintain_order="left")["number"]
    return firsts["row"].to_numpy().astype(np.int64), numbers.to_numpy().astype(np.int64)


def _pack(codes: Ints, size: int) -> dict[str, npt.NDArray[np.uint64]]:
    """Columns of codes below ``size`` as few 64-bit words: what can be grouped by fast, and exactly."""
    bits = max(int(size).bit_length(), 1)
    width = 64 // bits
    shifts = np.arange(width, dtype=np.uint64) * np.uint64(bits)
    return {
        f"word{at}": np.bitwise_or.reduce(part << shifts[: part.shape[1]], axis=1)
        for at in range(0, codes.shape[1], width)
        for part in [codes[:, at : at + width].astype(np.uint64)]
    }
