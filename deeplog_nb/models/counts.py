"""SESSIONS -> COUNTED: are a session's key counts, order forgotten, such as training allows?

Two facts are learnt from normal sessions. Which keys are *fixed*: their count follows from the counts of the other
keys (the others, such as retries, are free). And which two counts exclude each other: they never came
together, though by chance they would have, many times. Neither is a threshold on a score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import COUNTED, InputError, ModelError, check
from deeplog_nb.models.learnt import Learnt, Reals, digest_of, load_learnt, save_learnt
from deeplog_nb.sessions.budget import allowed
from deeplog_nb.sessions.vectors import count_vectors
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, sequences

TWINS: Final = 0.5  # share of the sessions that must agree with another in all other counts, to say that one follows
RANGE: Final = 2  # counts that a key may have; with more it is taken for one that ranges, such as a loop's
ITEMS: Final = 4000  # (key, count) pairs that are compared with one another, the most frequent
NAMED: Final = 3  # keys that a reason names
Flags = npt.NDArray[np.bool_]


class CountModel:
    """A check of counts at a session's end: ``fit`` on normal sessions, then ``check`` any.

    Source: the checks are ours; counts that follow from one another are the idea of invariant mining (Lou et al. 2010).

    >>> from deeplog_nb.frames import SESSIONS
    >>> rows = [(name, at, key, 20, False) for name, keys in [("a", [1, 2]), ("b", [1, 3, 2])]
    ...         for at, key in enumerate(keys)]
    >>> normal = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> twice = pl.DataFrame([("x", 0, 1, 1, False)] * 2, schema=dict(SESSIONS), orient="row")
    >>> CountModel().fit(normal).check(twice)["reason"].item()
    'key 1 occurs 2 times, in training always 1; key 2 occurs 0 times, in training always 1'
    """

    def __init__(self, *, rate: float = 1e-3) -> None:
        if not 0 < rate < 1:
            raise InputError(f"rate is {rate}; it is the share of normal sessions that may be flagged, between 0 and 1")
        self.rate = rate
        self._learnt: Learnt | None = None

    def fit(self, sessions: pl.DataFrame) -> CountModel:
        """Learn from normal sessions which counts are fixed; open sessions, which may go on, teach nothing."""
        distinct = sequences(sessions)
        vocabulary = Vocabulary.of(distinct.keys.tolist())
        ended = distinct.counts > 0
        found, of_vector = np.unique(count_vectors(distinct, vocabulary)[ended, :-1], axis=0, return_inverse=True)
        weights = np.bincount(of_vector.ravel(), weights=distinct.counts[ended], minlength=len(found)).astype(
            np.float64
        )
        self._learnt = _learn(vocabulary, found, weights, self.rate)
        return self

    def check(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """COUNTED: for each session whether its counts are impossible, and which."""
        distinct = sequences(sessions)
        vectors, of_vector = np.unique(
            count_vectors(distinct, self.learnt.vocabulary)[:, :-1], axis=0, return_inverse=True
        )
        reasons = pl.Series(_reasons(self.learnt, vectors), dtype=pl.String)
        told = pl.DataFrame({"reason": reasons.gather(of_vector.ravel())}).with_row_index("sequence")
        joined = distinct.of_session.join(told, on="sequence", how="left", maintain_order="left")
        return check(joined.with_columns(flagged=pl.col("reason").is_not_null()).select(*COUNTED), COUNTED, "counted")

    def reasons(self, sessions: Sequence[Mapping[int, int]]) -> list[str | None]:
        """The same for sessions told by how often each key came: which counts are impossible, or None."""
        return _reasons(self.learnt, self._vectors(sessions))

    def learn(self, sessions: pl.DataFrame) -> CountModel:
        """A new model for which the counts of these sessions are normal too, since a person said so.

        That is: the same count of every fixed key, all together; the free keys may occur as often as they like.
        """
        return self._declaring(count_vectors(sequences(sessions), self.learnt.vocabulary)[:, :-1])

    def learn_counts(self, sessions: Sequence[Mapping[int, int]]) -> CountModel:
        """The same of sessions told by how often each key came, however long they are."""
        return self._declaring(self._vectors(sessions))

    def _vectors(self, sessions: Sequence[Mapping[int, int]]) -> Ints:
        column = {key: at for at, key in enumerate(self.learnt.vocabulary.keys)}
        vectors = np.zeros((len(sessions), len(column)), np.int64)
        for row, counts in zip(vectors, sessions, strict=True):
            for key, often in counts.items():
                if key in column:
                    row[column[key]] = often
        return vectors

    def _declaring(self, vectors: Ints) -> CountModel:
        mine = _seen(vectors, self.learnt.ranging)[:, list(self.learnt.fixed)]
        before = self.learnt.declared.reshape(len(self.learnt.declared), mine.shape[1])
        declared = np.unique(np.concatenate([before, mine]), axis=0)
        other = CountModel(rate=self.rate)
        other._learnt = replace(self.learnt, declared=declared)
        return other

    def save(self, folder: Path | str) -> None:
        """Write ``counts.safetensors`` and ``counts.json``."""
        save_learnt(Path(folder), self.rate, self.learnt)

    @classmethod
    def load(cls, folder: Path | str) -> CountModel:
        """Read a model that :meth:`save` wrote; refuses what is broken."""
        rate, learnt = load_learnt(Path(folder))
        model = cls(rate=rate)
        model._learnt = learnt
        return model

    @property
    def digest(self) -> str:
        """What tells this model from any other: the SHA-256 of its ``counts.json``."""
        return digest_of(self.rate, self.learnt)

    @property
    def learnt(self) -> Learnt:
        """What training allows; an error before the model is fitted."""
        if self._learnt is None:
            raise ModelError("this CountModel is not fitted yet; call fit(sessions) first")
        return self._learnt

    @property
    def fixed(self) -> list[int]:
        """The keys whose counts are checked; the others are free."""
        return [self.learnt.vocabulary.keys[column] for column in self.learnt.fixed]

    @property
    def source(self) -> str:
        """Where the check comes from, with what it flags of the training sessions left out one by one."""
        found = self.learnt
        return (
            f"training sessions, each left out in turn: rate {self.rate:g}, {found.left_out} of {found.sessions} "
            f"flagged; {len(found.fixed)} of {len(found.vocabulary.keys)} keys fixed"
        )


def _learn(vocabulary: Vocabulary, vectors: Ints, weights: Reals, rate: float) -> Learnt:
    """Keys are dropped, worst first, and chance is asked for more, until leaving one out flags few enough."""
    total = int(weights.sum())
    most = allowed(total, rate)
    ranging, whole = _ranging(vectors, total, rate), _fixed(vectors, weights, most)
    vectors, alike = np.unique(_seen(vectors, ranging), axis=0, return_inverse=True)
    weights = np.bincount(alike.ravel(), weights=weights).astype(np.float64)
    fixed = np.intersect1d(whole, _fixed(vectors, weights, most))
    while (novel := _novel_values(vectors, weights, fixed)).any(axis=1) @ weights > most:
        fixed = np.delete(fixed, int(np.argmax(weights @ novel)))
    items = _items(vectors, weights, fixed)
    held = _held(vectors, items)  # [D, I]
    needed = math.log(1 / rate)  # by chance expected so often, none at all is rarer than the rate
    while True:
        expected, left_out = _excluded(held, weights, items, needed)
        flagged = int((left_out | novel.any(axis=1)) @ weights)
        if flagged <= most or not expected.any():
            checked = tuple(column for column in ranging if column in fixed)
            return Learnt(vocabulary, tuple(fixed.tolist()), items, expected, total, flagged, checked)
        needed *= 2


def _ranging(vectors: Ints, total: int, rate: float) -> tuple[int, ...]:
    """Keys with a range of counts that so few sessions do not bound: of n the next passes an end by chance 2/(n+1)."""
    if 2 / (total + 1) <= rate:
        return ()
    return tuple(column for column in range(vectors.shape[1]) if len(np.unique(vectors[:, column])) > RANGE)


def _seen(vectors: Ints, ranging: Sequence[int]) -> Ints:
    """The vectors as they are checked: of a key that ranges, whether it comes at all."""
    seen = vectors.copy()
    seen[:, list(ranging)] = np.minimum(seen[:, list(ranging)], 1)
    return seen


def _fixed(vectors: Ints, weights: Reals, most: int) -> Ints:
    """Columns of the keys whose count follows from all the others: sessions alike in these are alike in it."""
    draws = np.random.default_rng(0).integers(1, 2**63, vectors.shape[1], dtype=np.uint64)  # one a key
    marked = vectors.astype(np.uint64) * draws  # [D, K] sums of these stand for vectors; they wrap, and may
    whole = marked.sum(axis=1, dtype=np.uint64)  # [D]
    columns = (column for column in range(vectors.shape[1]) if _follows(whole - marked[:, column], weights, most))
    return np.array([*columns], dtype=np.int64)


def _follows(others: npt.NDArray[np.uint64], weights: Reals, most: int) -> bool:
    """Whether vectors with the same other counts are (but for ``most`` sessions) one and the same."""
    _, group = np.unique(others, return_inverse=True)
    alike = np.bincount(group, weights=weights)  # sessions a group
    majority = np.zeros(len(alike))
    np.maximum.at(majority, group, weights)
    twins = alike[alike > 1].sum()
    return bool(twins > 0 and twins >= TWINS * weights.sum() and (alike - majority).sum() <= most)


def _novel_values(vectors: Ints, weights: Reals, fixed: Ints) -> Flags:
    """Which sessions hold, in which fixed key, a count that no other session has: [D, fixed keys]."""
    novel = np.zeros((len(vectors), len(fixed)), np.bool_)
    for at, column in enumerate(fixed):
        _, value = np.unique(vectors[:, column], return_inverse=True)
        novel[:, at] = np.bincount(value, weights=weights)[value] == 1
    return novel


def _items(vectors: Ints, weights: Reals, fixed: Ints) -> Ints:
    """Each fixed key with each of its counts, the most frequent if there are very many: [I, 2]."""
    found = [
        (np.bincount(at, weights=weights)[number], column, value)
        for column in fixed.tolist()
        for values, at in [np.unique(vectors[:, column], return_inverse=True)]
        for number, value in enumerate(values.tolist())
    ]
    kept = sorted(found, reverse=True)[:ITEMS]
    return np.array(sorted((column, value) for _, column, value in kept), dtype=np.int64).reshape(-1, 2)


def _held(vectors: Ints, items: Ints) -> Reals:
    """1 where a vector has an item: [D, I]."""
    held: Reals = (vectors[:, items[:, 0]] == items[:, 1]).astype(np.float64)
    return held


def _excluded(held: Reals, weights: Reals, items: Ints, needed: float) -> tuple[Reals, Flags]:
    """How often chance would have shown two items that never came together, and who is flagged when left out."""
    often = weights @ held  # [I] sessions with each item
    together = held.T @ (held * weights[:, None])  # [I, I]
    other = items[:, None, 0] != items[None, :, 0]
    by_chance = np.outer(often, often) / max(weights.sum(), 1)  # [I, I]
    expected = np.where(other & (together == 0) & (by_chance >= needed), by_chance, 0)
    without = np.outer(often - 1, often - 1) / max(weights.sum() - 1, 1)
    once = (other & (together == 1) & (without >= needed)).astype(np.float64)
    return expected, (weights == 1) & (((held @ once) * held).sum(axis=1) > 0)


def _reasons(learnt: Learnt, vectors: Ints) -> list[str | None]:
    """For each vector the counts that are impossible in it, in words, or None."""
    vectors = _seen(vectors, learnt.ranging)
    held = _held(vectors, learnt.items)  # [D, I]
    known = np.zeros((len(vectors), len(learnt.vocabulary.keys)), np.bool_)  # [D, K] has an item of that key
    for item, column in enumerate(learnt.items[:, 0]):
        known[:, column] |= held[:, item] > 0
    fixed = np.array(learnt.fixed, dtype=np.int64)
    suspects = ~known[:, fixed].all(axis=1) | (((held @ learnt.expected) * held).sum(axis=1) > 0)
    if len(learnt.declared):
        suspects &= ~(vectors[:, None, fixed] == learnt.declared[None]).all(axis=2).any(axis=1)
    return [
        _reason(learnt, vectors[at], held[at], fixed[~known[at, fixed]]) if bad else None
        for at, bad in enumerate(suspects)
    ]


def _reason(learnt: Learnt, vector: Ints, held: Reals, new: Ints) -> str:
    """The counts that training never had; else the two whose absence together is the least likely chance."""
    keys, items = learnt.vocabulary.keys, learnt.items
    if len(new):
        told = [
            f"key {keys[column]} does not occur, in training it always does"
            if column in learnt.ranging
            else f"key {keys[column]} occurs {vector[column]} times, in training "
            f"{_usual(items[items[:, 0] == column, 1])}"
            for column in new[:NAMED].tolist()
        ]
        return "; ".join([*told, f"{len(new) - NAMED} more keys"] if len(new) > NAMED else told)
    both = learnt.expected * np.outer(held, held)
    first, second = np.unravel_index(int(both.argmax()), both.shape)
    (one, times), (other, often) = items[first].tolist(), items[second].tolist()
    return (
        f"key {keys[one]} occurs {times} times and key {keys[other]} {often} times: never together in training, "
        f"where chance would have shown it {both.max():.0f} times"
    )


def _usual(values: Ints) -> str:
    told = ", ".join(str(value) for value in sorted(values.tolist())[:6])
    return f"always {told}" if len(values) == 1 else f"{told}{', …' if len(values) > 6 else ''}"
