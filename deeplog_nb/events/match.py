"""Which template a shape has: the one that fits it with the most literal text. It knows patterns, not frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from deeplog_nb.events.align import Template, beginning, captures, constants, words
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
        exact = self._exact.get(shape)
        told = len(constants(beginning(shape)))
        for pattern in [exact] if exact else self._near(shape):
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

    def _near(self, shape: str) -> list[Pattern]:
        near = [pattern for word in {*words(shape), ""} for pattern in self._index.get(word, ())]
        return sorted(near, key=lambda pattern: pattern.rank)

    @cached_property
    def _exact(self) -> dict[str, Pattern]:
        """The first generation by its shape: no other has more literal text; but pinned ones are asked before it."""
        if any(pattern.generation == PINNED for pattern in self.patterns):
            return {}
        ranked = sorted(self.patterns, key=lambda pattern: pattern.rank, reverse=True)
        return {HOLE.join(pattern.literals): pattern for pattern in ranked if pattern.generation == 0}

    @cached_property
    def _constants(self) -> dict[int, int]:
        return {pattern.key: len(constants(HOLE.join(pattern.literals))) for pattern in self.patterns}

    @cached_property
    def _index(self) -> dict[str, list[Pattern]]:
        """Patterns by the word that fewest of them have: only a shape that holds it can fit."""
        spelled = [
            {word for word in words(HOLE.join(pattern.literals)) if word != HOLE} | {""} for pattern in self.patterns
        ]
        often = Counter(word for own in spelled for word in own)
        index = defaultdict(list)
        for pattern, own in zip(self.patterns, spelled, strict=True):
            index[min(own, key=lambda word: (not word, often[word], word))].append(pattern)
        return index
