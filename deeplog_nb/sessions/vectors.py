"""Distinct sequences -> count vectors: how often each key occurs, order forgotten.

Axes: S distinct sequences, K keys of the vocabulary, then one column for all unknown keys together.
"""

from __future__ import annotations

import numpy as np

from deeplog_nb.sessions.vocabulary import FIRST, UNKNOWN, Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences


def count_vectors(sequences: Sequences, vocabulary: Vocabulary) -> Ints:
    """How often each sequence holds each key, the unknown ones in the last column: [S, K + 1].

    >>> import polars as pl
    >>> two = Sequences(np.array([5, 5, 22, 9]), np.array([3, 1]), np.array([1, 1]), np.array([0, 0]), pl.DataFrame())
    >>> count_vectors(two, Vocabulary((5, 22))).tolist()
    [[2, 1, 0], [0, 0, 1]]
    """
    size = len(vocabulary.keys) + 1
    codes = vocabulary.codes(sequences.keys)
    columns = np.where(codes == UNKNOWN, size - 1, codes - FIRST)  # [sum of lengths]
    rows = np.repeat(np.arange(len(sequences.lengths)), sequences.lengths)
    flat = np.bincount(rows * size + columns, minlength=len(sequences.lengths) * size)
    return flat.reshape(-1, size).astype(np.int64)
