"""What comes next, as people ask for it: keys in, the most probable next keys out.

The probabilities are the models'; nothing is predicted here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.sessions.vocabulary import BEFORE, Vocabulary
from deeplog_nb.sessions.windows import Ints

Chances = npt.NDArray[np.float32]  # of next-codes: [N, C], or [C]


def history_codes(vocabulary: Vocabulary, history: Sequence[int], length: int) -> Ints:
    """The last ``length`` of these keys as codes, padded in front: [h].

    >>> history_codes(Vocabulary((5, 22)), [5, 22, 7], 4).tolist()
    [0, 2, 3, 1]
    """
    codes = vocabulary.codes(np.array(history[-length:], dtype=np.int64)) if len(history) else np.empty(0, np.int64)
    return np.concatenate([np.full(length - len(codes), BEFORE, np.int64), codes])


def most_probable(vocabulary: Vocabulary, chances: Chances, most: int) -> pl.DataFrame:
    """``key, probability`` of the most probable next-codes, of [C]; key null is the end.

    >>> most_probable(Vocabulary((5, 22)), np.array([0.25, 0.125, 0.625], np.float32), 2).rows()
    [(None, 0.625), (5, 0.25)]
    """
    top = np.argsort(-chances, kind="stable")[:most]
    keys = [*vocabulary.keys, None]
    found = {"key": [keys[at] for at in top.tolist()], "probability": chances[top]}
    return pl.DataFrame(found, schema={"key": pl.UInt32, "probability": pl.Float32})
