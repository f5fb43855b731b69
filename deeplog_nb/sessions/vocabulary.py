"""The frozen set of keys that a model knows, and the codes that stand for them in its tensors.

Codes of a history: 0 before the session began, 1 unknown, 2… the keys in rising order. Codes of what
comes next: 0… the keys in the same order, then the end of the session. Padding and unknown are no
answers, so they take no part in any ranking.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

BEFORE: Final = 0
UNKNOWN: Final = 1
FIRST: Final = 2


@dataclass(frozen=True)
class Vocabulary:
    """The keys of the training part; key 0 (fits no template) is never one of them.

    >>> known = Vocabulary.of([7, 3, 7, 0])
    >>> known.keys, known.inputs, known.end
    ((3, 7), 4, 2)
    >>> known.codes(np.array([3, 99, 7])).tolist()
    [2, 1, 3]
    """

    keys: tuple[int, ...]

    @classmethod
    def of(cls, keys: Iterable[int]) -> Vocabulary:
        """The vocabulary of a training part: each key that occurs in it."""
        return cls(tuple(sorted(set(keys) - {0})))

    def codes(self, keys: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """History codes of these keys; what is not known gets the code of unknown."""
        at = np.searchsorted(self._sorted, keys)
        found = np.append(self._sorted, 0)[at]  # behind the last one: 0, which is no key of a vocabulary
        return np.where((found == keys) & (found != 0), at + FIRST, UNKNOWN).astype(np.int64)

    @property
    def inputs(self) -> int:
        """How many history codes there are."""
        return len(self.keys) + FIRST

    @property
    def end(self) -> int:
        """The next-code of the end of the session; also the number of keys."""
        return len(self.keys)

    @cached_property
    def _sorted(self) -> npt.NDArray[np.int64]:
        return np.array(self.keys, dtype=np.int64)
