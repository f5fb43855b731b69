"""Which template a shape has: the one that fits it with the most literal text. It knows patterns, not frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Final

from deeplog_nb.events.align import Template, beginning, captures, constants, first_word, words
from deeplog_nb.events.masks import HOLE

REMEMBERED: Final = 1 << 16  # shapes whose fit is kept
LONG: Final = 1 << 12  # characters of a shape that is not kept: such ones seldom come again
PINNED: Final = -1  # the generation of a template that a person wrote


@dataclass(frozen=True)
class Pattern:
    """What a shape is compared with: literal texts, the key that they stand for, and how early they are asked."""

    key: int
    literals: Template
    generation: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """Pinned ones first, what was there before a store was extended next, then by literal text."""
        return self.generation, -sum(map(len, self.literals)), self.key


@dataclass(frozen=True)
class Matcher:
    """Patterns to be found by a word that few of them have.

    >>> Matcher((Pattern(1, ("Took ", " s"), 0), Pattern(2, ("VM Started",), 0)), tau=0.7).fit("VM Started")
    (2, [])
    """

    patterns: tuple[Pattern, ...]
    tau: float

    def fit(self, shape: str) -> tuple[int, list[str]]:
        """Key and captured texts of the pattern that fits best; key 0 and none where no pattern does."""
        return self._remembered(shape) if len(shape) <= LONG else self._fit(shape)

    @cached_property
    def _remembered(self) -> Callable[[str], tuple[int, list[str]]]:
        """Batches of a log bring the same shapes again and again."""
        return lru_cache(REMEMBERED)(self._fit)

    def _fit(self, shape: str) -> tuple[int, list[str]]:
        """A pinned pattern first, then the first generation's that is the shape itself, then whatever fits."""
        told = len(constants(beginning(shape)))
        exact = self._exact.get(shape)
        for pattern in chain(self._pinned.near(shape), [exact] if exact else self._others.near(shape)):
            texts = captures(pattern.literals, shape)
            if texts is not None and self._says_enough(pattern, told, texts):
                return pattern.key, texts
        return 0, []

    def _says_enough(self, pattern: Pattern, told: int, texts: list[str]) -> bool:
        """A pattern without a word of its own fits nothing but values; a person's word is taken for the share."""
        own = self._constants[pattern.key]
        if not own:
            return set("".join(texts)) <= {HOLE}
        return pattern.generation == PINNED or own >= self.tau * told

    @cached_property
    def _exact(self) -> dict[str, Pattern]:
        """The first generation by its shape: none but a pinned one has more literal text, or is asked before."""
        ranked = sorted(self.patterns, key=lambda pattern: pattern.rank, reverse=True)
        return {HOLE.join(pattern.literals): pattern for pattern in ranked if pattern.generation == 0}

    @cached_property
    def _constants(self) -> dict[int, int]:
        return {pattern.key: len(constants(HOLE.join(pattern.literals))) for pattern in self.patterns}

    @cached_property
    def _pinned(self) -> Index:
        return Index.of(pattern for pattern in self.patterns if pattern.generation == PINNED)

    @cached_property
    def _others(self) -> Index:
        return Index.of(pattern for pattern in self.patterns if pattern.generation != PINNED)


@dataclass(frozen=True)
class Index:
    """Patterns by the word that they begin with and the two that fewest of them have; the rest by their text."""

    whole: dict[str, list[Pattern]]  # without wildcards
    holding: dict[tuple[str, str], dict[str, list[Pattern]]]  # (first, rarest), next: "" where there is none

    @classmethod
    def of(cls, patterns: Iterable[Pattern]) -> Index:
        """Patterns as they are looked up: only a shape that has these words can fit."""
        index = cls(defaultdict(list), defaultdict(lambda: defaultdict(list)))
        ranked = sorted(patterns, key=lambda pattern: pattern.rank)
        spelled = [set(words(HOLE.join(pattern.literals))) - {HOLE} for pattern in ranked]
        often = Counter(chain.from_iterable(spelled))
        for pattern, own in zip(ranked, spelled, strict=True):
            if len(pattern.literals) == 1:
                index.whole[pattern.literals[0]].append(pattern)
                continue
            rarest, second, *_ = [*sorted(own, key=lambda word: (often[word], word))[:2], "", ""]
            index.holding[first_word(pattern.literals[0]), rarest][second].append(pattern)
        return index

    def near(self, shape: str) -> list[Pattern]:
        """The patterns that can fit, the one to ask first in front."""
        if not self.holding and shape not in self.whole:
            return []
        own = {*words(shape), ""}
        buckets = [self.holding.get((first, word), {}) for first in {first_word(shape), ""} for word in own]
        found = [pattern for bucket in buckets for word in bucket.keys() & own for pattern in bucket[word]]
        return sorted([*self.whole.get(shape, ()), *found], key=lambda pattern: pattern.rank)
