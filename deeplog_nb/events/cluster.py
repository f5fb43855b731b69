"""Shapes that one template could stand for: Spell's longest common subsequence, then its journal version's merge.

Which of a group's wildcards are parameters, and which are part of the message, is :mod:`split`'s matter.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from deeplog_nb.events.align import constants, longest, merge, words

TRIED: Final = 100  # clusters that a shape is aligned with at most: those that share most of its rare words
SHARED: Final = 3  # rare words that a shape must share to be compared at all, where tau allows to ask for so many
HELD: Final = 200  # clusters looked up under one word at most, the oldest; keeps a log of random words linear


@dataclass
class Cluster:
    """Shapes that are alike, in the order in which they came, and what they have in common."""

    shape: str
    members: list[str]
    constants: list[str]
    fields: list[str]

    @classmethod
    def of(cls, shape: str) -> Cluster:
        """A cluster that begins with this shape."""
        return cls(shape, [shape], constants(shape), fields(shape))

    def take(self, shape: str) -> None:
        """Add a shape, and give up what it has not in common with the others."""
        self.members.append(shape)
        self.shape = merge(self.shape, shape)
        self.constants = constants(self.shape)


@dataclass
class _Clusters:
    """The clusters so far, each to be found by any word that it had when it began."""

    tau: float
    all: list[Cluster] = field(default_factory=list)
    holding: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, cluster: Cluster) -> None:
        for word in set(cluster.constants):
            self.holding[word].append(len(self.all))
        self.all.append(cluster)

    def closest(self, shape: str) -> Cluster | None:
        """The cluster with the longest common subsequence, the shorter of two; None if it is not long enough."""
        own, named = constants(shape), fields(shape)
        different = set(own)
        twice = len(own) - len(different)
        best, most = None, 0
        for cluster in self._near(own):
            needed = self.tau * max(len(own), len(cluster.constants))
            shared = len(different.intersection(cluster.constants)) + twice
            if shared < max(needed, most) or cluster.fields != named:
                continue
            length = longest(own, cluster.constants)
            shorter = best is None or len(cluster.constants) < len(best.constants)
            if length >= needed and (length > most or (length == most and shorter)):
                best, most = cluster, length
        return best

    def _near(self, own: Sequence[str]) -> list[Cluster]:
        """Clusters that can have tau of these words: of any of them, no more may be missing than of them all."""
        missing = len(own) - ceil(self.tau * len(own))
        rarest = sorted(own, key=lambda word: len(self.holding.get(word, ())))[: missing + SHARED]
        shared: Counter[int] = Counter()
        for word in rarest:
            shared.update(self.holding.get(word, ())[:HELD])
        least = len(rarest) - missing
        near = Counter({number: often for number, often in shared.items() if often >= least})
        return [self.all[number] for number, _ in near.most_common(TRIED)]


def cluster(shapes: Iterable[str], tau: float) -> list[list[str]]:
    """Groups of shapes that have at least ``tau`` of their words in common, in the order of first appearance.

    >>> cluster(["disk one is full", "disk two is full", "bye"], 0.7)
    [['disk one is full', 'disk two is full'], ['bye']]
    """
    clusters = _Clusters(tau)
    same_words: dict[tuple[str, ...], Cluster] = {}
    for each in shapes:
        spelled = tuple(words(each))
        found = same_words.get(spelled) or clusters.closest(each)
        if found:
            found.take(each)
        else:
            clusters.add(found := Cluster.of(each))
        same_words[spelled] = found
    return [each.members for each in clusters.all]


def fields(shape: str) -> list[str]:
    """Names in front of an equals sign: messages that state other fields are other messages.

    >>> fields("login failed; uid=0 tty=ssh")
    ['uid', 'tty']
    """
    return re.findall(r"(\w+)=", shape)
