"""What several models say comes next, and soon: of each history the length with the most certain prediction.

The paper, 4.2: a history that is too short may belong to two tasks; a longer one tells them apart. Whether what comes
is the same task is for ``separation`` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.expected import Chances
from deeplog_nb.models.ngram import NGram
from deeplog_nb.sessions.vocabulary import FIRST, Vocabulary
from deeplog_nb.sessions.windows import Ints

LEAST: Final = 0.02  # probability under which a way on is not followed
TURNS: Final = 3  # as many keys, those that come again counted, are looked at for each different one
WAYS: Final = 4  # ways on that are followed from one place, the most probable ones


@runtime_checkable
class NextKeys(Protocol):
    """What a model must have: KeyModel and NGram do."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The keys that it knows."""
        ...

    @property
    def history(self) -> int:
        """How many keys it looks back on."""
        ...

    def chances(self, histories: Ints) -> Chances:
        """Probability of every next-code after each history of codes: [N, h] -> [N, C]."""
        ...


class Predictor:
    """Several models asked as one.

    >>> import polars as pl
    >>> from deeplog_nb.frames import SESSIONS
    >>> rows = [("a", at, key, 1, False) for at, key in enumerate([1, 3, 4, 2, 3, 5] * 20)]
    >>> sessions = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> both = Predictor([NGram(n).fit(sessions) for n in (1, 2)])
    >>> [round(float(chances.max()), 2) for chances in both.chances(np.array([[0, 4], [2, 4]]))]  # 3; 1, 3
    [0.5, 0.98]
    """

    def __init__(self, models: NextKeys | Sequence[NextKeys]) -> None:
        given = list(models) if isinstance(models, Sequence) else [models]
        strange = [type(each).__name__ for each in given if isinstance(each, type) or not isinstance(each, NextKeys)]
        if strange:
            wanted = "a fitted KeyModel or NGram (of a detector, its keys), or several with other history lengths"
            raise InputError(f"models is of type {strange[0]}; give {wanted}")
        self.models = sorted(given, key=lambda model: model.history)
        if not self.models:
            raise InputError("models is empty; give a fitted KeyModel or NGram, or several with other history lengths")
        known = {model.vocabulary for model in self.models}
        if len(known) > 1:
            raise ModelError("the models do not know the same keys; fit them all on the same sessions")
        self.vocabulary = self.models[0].vocabulary
        self.history = max(model.history for model in self.models)

    def chances(self, histories: Ints, without: Sequence[int] = ()) -> Chances:
        """Probability of every next key, [N, h] -> [N, K], without these keys; of the models the most certain one's."""
        keys, counted = self.vocabulary.end, None
        best = np.zeros((len(histories), keys), np.float32)
        for model in self.models:
            found = _ask(model, histories[:, -model.history :], counted)
            counted = found if isinstance(model, NGram) else counted
            told = found[:, :keys] / np.maximum(1 - found[:, list(without)].sum(axis=1, keepdims=True), LEAST)
            told[:, list(without)] = 0
            better = told.max(axis=1, initial=0) > best.max(axis=1, initial=0)
            best[better] = told[better]
        return best

    def reach(self, histories: Ints, targets: Ints, depth: int, without: Sequence[int] = ()) -> npt.NDArray[np.float64]:
        """Probability that each target comes within the next ``depth`` different keys: [N, h], [N] -> [N].

        Keys that come again on the way count once: three replicas in a row are as near as one.
        """
        total = np.zeros(len(targets))
        paths = _Paths.at(histories, targets, self.vocabulary.end)
        for _ in range(depth * TURNS):
            if not len(paths.rows):
                break
            chances = (paths.weights[:, None] * self.chances(paths.histories, without)).astype(np.float32)
            at = np.arange(len(paths.rows)), targets[paths.rows]
            total += np.bincount(paths.rows, chances[at], minlength=len(total))
            chances[at] = 0
            paths = paths.on(chances, depth)
        return total


@dataclass(frozen=True)
class _Paths:
    """P ways on from the places that were asked for, none of which has met its target."""

    rows: Ints  # [P] whose way it is
    weights: npt.NDArray[np.float64]  # [P] its probability
    histories: Ints  # [P, h] as it stands then
    seen: npt.NDArray[np.bool_]  # [P, K] the keys met on it

    @classmethod
    def at(cls, histories: Ints, targets: Ints, keys: int) -> _Paths:
        number = len(targets)
        return cls(np.arange(number), np.ones(number), histories, np.zeros((number, keys), np.bool_))

    def on(self, chances: Chances, depth: int) -> _Paths:
        """The most probable keys put into each history, as long as the different ones are not too many."""
        top = np.argpartition(-chances, min(WAYS, chances.shape[1]) - 1, axis=1)[:, :WAYS]
        found = np.take_along_axis(chances, top, axis=1)
        here, which = np.nonzero(found >= LEAST)
        keys = top[here, which]
        seen = self.seen[here]
        seen[np.arange(len(here)), keys] = True
        near = seen.sum(axis=1) < depth
        here, keys = here[near], keys[near]
        moved = np.column_stack([self.histories[here, 1:], keys + FIRST])
        return _Paths(self.rows[here], chances[here, keys].astype(np.float64), moved, seen[near])


def _ask(model: NextKeys, histories: Ints, shorter: Chances | None) -> Chances:
    """An n-gram that counted a long history but a few times is told what a shorter one says."""
    return model.chances(histories, shorter=shorter) if isinstance(model, NGram) else model.chances(histories)
