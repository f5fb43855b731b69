"""What a value model keeps of its training, so that it can learn on without forgetting: a bounded sample.

Axes: S series, M entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deeplog_nb.models.few import Few
from deeplog_nb.models.forecasters import Forecasters, Pairs
from deeplog_nb.models.replay import errors_of
from deeplog_nb.sessions.series import Vectors, members

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

KEPT: Final = 64  # training examples of each series


@dataclass(frozen=True)
class Kept:
    """Some examples of each series, how well they were forecast, and all of the sorts that have no network."""

    pairs: Pairs
    errors: Floats  # [S] mean squared error over the pairs when the model was fitted
    few: Few


def kept(forecasters: Forecasters, seen: Vectors, numbers: Ints, seed: int) -> Kept:
    """At most 64 training examples of each series, drawn by the seed, and the vectors that are of none."""
    series = len(forecasters.groups)
    pairs = forecasters.pairs(seen, numbers, _drawn(numbers, series, seed))
    return Kept(pairs, errors_of(forecasters.network, pairs, series), Few.of(seen, seen.there & (numbers < 0)))


def _drawn(numbers: Ints, series: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which entries are kept: [M]."""
    shuffled = np.random.default_rng(seed).permutation(len(numbers))
    chosen = np.zeros(len(numbers), np.bool_)
    for mine in members(numbers[shuffled], series):
        chosen[shuffled[mine[:KEPT]]] = True
    return chosen
