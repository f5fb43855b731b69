"""What can judge an entry by the keys before it, and learn from an answer: models and baselines under one protocol.

Learning gives a new one; the old one is as it was. Who answers, and when, is said in ``prequential``.

Axes: N patterns (a history of h keys and the key that came), h history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
import polars as pl
import torch

from deeplog_nb.evaluation.stream import Flags
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.network import ranked
from deeplog_nb.models.taught import taught
from deeplog_nb.models.teaching import Teaching
from deeplog_nb.sessions.listed import as_sessions
from deeplog_nb.sessions.vocabulary import FIRST
from deeplog_nb.sessions.windows import Ints

Pattern = tuple[int, ...]  # the history, then the key
LESSON: Final = 8  # answers since the last lesson are one in so many of those before: a lesson is due
DRAWN: Final = 256  # histories at random that a lesson replays
BRIEF: Final = Teaching(steps=40, declared=32, replay=64)  # a lesson: short, since there are many


class Adaptive(Protocol):
    """Judges patterns, and learns the ones that a person called normal."""

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """Whether each key after its history is anomalous: [N, h] and [N] to [N]."""

    def learn(self, histories: Ints, keys: Ints) -> Adaptive:
        """What it is once it has been told that these are normal."""


@dataclass(frozen=True)
class KnownKeys:
    """The rule "a key that was never seen": learning admits the key, after whatever history."""

    known: frozenset[int]

    @classmethod
    def fit(cls, train: pl.DataFrame) -> KnownKeys:
        """The keys of these sessions."""
        return cls(frozenset(train["key"].to_list()))

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """Which keys are not known.

        >>> KnownKeys(frozenset({1})).judge(np.array([[1], [1]]), np.array([1, 2])).tolist()
        [False, True]
        """
        return ~np.isin(keys, [*self.known])

    def learn(self, histories: Ints, keys: Ints) -> KnownKeys:
        """With these keys too."""
        return KnownKeys(self.known | set(keys.tolist()))


@dataclass(frozen=True)
class Pairs:
    """The paper's n-gram with n = 1: a key is normal among the g that followed the last one most often."""

    counts: dict[int, dict[int, int]]  # last key -> next key -> how often
    g: int

    @classmethod
    def fit(cls, train: pl.DataFrame, *, g: int) -> Pairs:
        """Counts of the pairs in these sessions."""
        last = pl.col("key").shift(1).over("session")
        rows = train.select(last=last, key="key").drop_nulls().group_by("last", "key", maintain_order=True).len()
        counts: dict[int, dict[int, int]] = {}
        for before, key, count in rows.rows():
            counts.setdefault(before, {})[key] = count
        return cls(counts, g)

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """Which keys never followed, or are rarer than g others; keys as frequent share the better rank.

        >>> Pairs({1: {2: 5, 3: 1}}, g=1).judge(np.array([[1], [1], [1]]), np.array([2, 3, 4])).tolist()
        [False, True, True]
        """
        return np.array([self._odd(*pair) for pair in zip(histories[:, -1].tolist(), keys.tolist(), strict=True)], bool)

    def learn(self, histories: Ints, keys: Ints) -> Pairs:
        """With each pair counted once more."""
        counts = dict(self.counts)
        for last, key in zip(histories[:, -1].tolist(), keys.tolist(), strict=True):
            after = counts.get(last, {})
            counts[last] = after | {key: after.get(key, 0) + 1}
        return Pairs(counts, self.g)

    def _odd(self, last: int, key: int) -> bool:
        after = self.counts.get(last, {})
        own = after.get(key, 0)
        return not own or sum(count > own for count in after.values()) >= self.g


@dataclass(frozen=True)
class Ranked:
    """A key model as it was trained: anomalous is what is not among its g most probable, or hardly probable at all.

    Without the bound on the probability it is the paper's rule. It learns nothing.
    """

    model: KeyModel
    g: int
    least: float = 0.0  # probability below which a key is anomalous, whatever its rank
    asked: dict[Pattern, bool] = field(default_factory=dict, repr=False)  # what it said, which never changes

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """Which keys are unknown to the model, rank behind the g-th, or are less probable than they may be."""
        wanted = _patterns(histories, keys)
        new = np.array([pattern not in self.asked for pattern in wanted], bool)
        if new.any():
            found = self._judge(histories[new], keys[new]).tolist()
            self.asked.update(zip((wanted[at] for at in np.flatnonzero(new)), found, strict=True))
        return np.array([self.asked[pattern] for pattern in wanted], bool)

    def learn(self, histories: Ints, keys: Ints) -> Ranked:
        """The same model."""
        return self

    def _judge(self, histories: Ints, keys: Ints) -> Flags:
        known = self.model.vocabulary
        nexts = known.codes(keys) - FIRST  # [N]; -1 is unknown
        ranks, own = ranked(self.model.network, torch.from_numpy(known.codes(histories)), torch.from_numpy(nexts))
        return np.asarray((nexts < 0) | (ranks.numpy() > self.g) | (own.numpy() < self.least), bool)


@dataclass(frozen=True)
class Taught:
    """A key model that is taught in lessons what was called normal.

    A lesson is due when the answers since the last one are an eighth of those before: the first are taught one by
    one, later ones together, so that a thousand answers take some fifty lessons. Beside the training windows, a lesson
    replays histories that nobody may ever have seen: what is improbable after them is to stay so.
    """

    ranked: Ranked
    told: int = 0  # answers that the model was taught
    due: frozenset[Pattern] = frozenset()

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """What is not among the g most probable of the model as it is since the last lesson."""
        return self.ranked.judge(histories, keys)

    def learn(self, histories: Ints, keys: Ints) -> Taught:
        """With a model that was taught these too, if a lesson is due."""
        due = self.due | set(_patterns(histories, keys))
        if len(due) * LESSON <= self.told:
            return replace(self, due=due)
        before = self.ranked.model
        known = sorted({*before.vocabulary.keys, *(pattern[-1] for pattern in due)})
        elsewhere = _elsewhere(known, before.settings.history, seed=self.told)
        model = taught(before, _lesson(due), BRIEF, canaries=elsewhere)
        return Taught(Ranked(model, self.ranked.g, self.ranked.least), self.told + len(due))


@dataclass(frozen=True)
class Answered:
    """A method with the answers it was given: a pattern called normal is no alarm any more, a confirmed one stays one.

    The method learns from what is normal, but for keys that were an alert once: such a key is normal in the very
    patterns that a person allowed and in no other. A pattern that was called both is an alarm.
    """

    method: Adaptive
    allowed: frozenset[Pattern] = frozenset()
    confirmed: frozenset[Pattern] = frozenset()
    alerts: frozenset[int] = frozenset()  # the keys of what was confirmed

    def judge(self, histories: Ints, keys: Ints) -> Flags:
        """What the method flags and no person has allowed, and what a person has confirmed.

        >>> odd = Answered(KnownKeys(frozenset({1}))).learn(np.array([[1, 1]]), np.array([2]))
        >>> odd.confirm(np.array([[1, 2]]), np.array([1])).judge(np.array([[1, 1], [1, 2]]), np.array([2, 1])).tolist()
        [False, True]
        """
        found = self.method.judge(histories, keys).tolist()
        told = zip(found, _patterns(histories, keys), strict=True)
        return np.array([p in self.confirmed or (odd and p not in self.allowed) for odd, p in told], bool)

    def learn(self, histories: Ints, keys: Ints) -> Answered:
        """With these patterns allowed, and learnt where they may be."""
        may = ~np.isin(keys, [*self.alerts])
        method = self.method.learn(histories[may], keys[may]) if may.any() else self.method
        return replace(self, method=method, allowed=self.allowed | set(_patterns(histories, keys)))

    def confirm(self, histories: Ints, keys: Ints) -> Answered:
        """With these alarms known as anomalies."""
        confirmed = self.confirmed | set(_patterns(histories, keys))
        return replace(self, confirmed=confirmed, alerts=self.alerts | set(keys.tolist()))


def _lesson(due: Iterable[Pattern]) -> pl.DataFrame:
    """``history, key``: a row a pattern."""
    rows = [(list(history), key) for *history, key in sorted(due)]
    return pl.DataFrame(rows, schema={"history": pl.List(pl.UInt32), "key": pl.UInt32}, orient="row")


def _elsewhere(known: Sequence[int], history: int, *, seed: int) -> pl.DataFrame:
    """SESSIONS of h + 1 keys: each known key over and over, and known keys at random."""
    drawn = np.random.default_rng(seed).choice(known, (DRAWN, history + 1))  # [R, h + 1]
    listed = np.concatenate([np.repeat(np.array(known)[:, None], history + 1, axis=1), drawn]).tolist()
    return as_sessions(pl.DataFrame({"session": [f"{row}" for row in range(len(listed))], "keys": listed}))


def _patterns(histories: Ints, keys: Ints) -> list[Pattern]:
    return [*map(tuple, np.column_stack([histories, keys]).tolist())]
