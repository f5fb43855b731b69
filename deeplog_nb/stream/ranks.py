"""Histories and what came next -> rank and probability, each distinct pair once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from deeplog_nb.models.keys import KeyModel
from deeplog_nb.stream.live import History

REMEMBERED: Final = 1 << 17  # pairs that are kept, about 50 MB; then all are forgotten
Pair = tuple[History, int | None]
Scored = tuple[int | None, float | None]


@dataclass(frozen=True)
class Ranks:
    """What a key model said of the pairs that it was asked for; a stream asks for the same ones again and again."""

    model: KeyModel
    known: dict[Pair, Scored] = field(default_factory=dict)

    def look_up(self, asked: Sequence[Pair]) -> list[Scored]:
        """Rank and probability of each pair; the key None is the end of the session."""
        new = list(dict.fromkeys(pair for pair in asked if pair not in self.known))
        if len(self.known) + len(new) > REMEMBERED:
            self.known.clear()
            new = list(dict.fromkeys(asked))
        if new:
            histories, nexts = zip(*new, strict=True)
            self.known.update(zip(new, self.model.score(histories, nexts), strict=True))
        return [self.known[pair] for pair in asked]
