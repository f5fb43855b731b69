"""A normal process as a small tree (steps, sequence, concurrency, choice) and a walk through it.

The same tree generates sessions here and recognises them in ``acceptor``; it knows no log format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from deeplog_nb.data.runs import Beat


@dataclass(frozen=True, slots=True)
class Step:
    """One entry after some time; with an empty key, time that passes and writes nothing."""

    key: str
    seconds: float = 0.05  # typical, on an idle system
    spread: float = 0.2  # of the logarithm
    load: float = 1.0  # how far load slows it: 0 = not at all
    part: int = 0


@dataclass(frozen=True, slots=True)
class Seq:
    """One part after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All parts at once: their entries mix in any order, each part keeps its own."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the parts, by weight."""

    weights: tuple[float, ...]
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A named part of the work, a VM's start for instance."""

    name: str
    body: Node


Node: TypeAlias = Step | Seq | Both | Choice | Task


def step(key: str, seconds: float = 0.05, spread: float = 0.2, *, load: float = 1.0, part: int = 0) -> Step:
    """One entry after so many seconds."""
    return Step(key, seconds, spread, load, part)


def wait(seconds: float, spread: float = 0.6, load: float = 0.0) -> Step:
    """Time that passes without an entry."""
    return Step("", seconds, spread, load)


def seq(*parts: Node) -> Seq:
    """One part after another."""
    return Seq(parts)


def both(*parts: Node) -> Both:
    """All parts at once."""
    return Both(parts)


def maybe(chance: float, part: Node) -> Choice:
    """The part, or nothing."""
    return Choice((chance, 1 - chance), (part, Seq(())))


def either(chance: float, part: Node, other: Node) -> Choice:
    """The part with this chance, or else the other."""
    return Choice((chance, 1 - chance), (part, other))


def repeat(weights: tuple[float, ...], part: Node) -> Choice:
    """The part 0, 1, 2 … times, with these weights.

    >>> [len(parts.parts) for parts in repeat((0.5, 0.3, 0.2), Step("beep")).parts]
    [0, 1, 2]
    """
    return Choice(weights, tuple(Seq((part,) * times) for times in range(len(weights))))


def task(name: str, *parts: Node) -> Task:
    """A named sequence."""
    return Task(name, Seq(parts))


def walk(node: Node, at: int, rng: Random, duration: Callable[[Step], int]) -> tuple[Beat, ...]:
    """One way through the tree, begun at an instant; ``duration`` says how many ms each step takes.

    >>> life = seq(Step("on"), both(Step("a", 3), Step("b", 2)), Step("off"))
    >>> [(beat.key, beat.time) for beat in walk(life, 0, Random(0), lambda step: round(step.seconds * 1000))]
    [('on', 50), ('b', 2050), ('a', 3050), ('off', 3100)]
    """
    beats, _ = _Walk(rng, duration).go(node, at)
    return tuple(beats)


class _Walk:
    def __init__(self, rng: Random, duration: Callable[[Step], int]) -> None:
        self.rng, self.duration = rng, duration
        self.task, self.turn, self.turns = "", 0, 0

    def go(self, node: Node, at: int) -> tuple[list[Beat], int]:
        match node:
            case Step():
                return self.step(node, at)
            case Seq():
                return self.seq(node, at)
            case Both():
                return self.both(node, at)
            case Choice():
                return self.go(self.rng.choices(node.parts, node.weights)[0], at)
            case Task():
                return self.within(node, at)

    def step(self, step: Step, at: int) -> tuple[list[Beat], int]:
        began, at = at, at + self.duration(step)
        beat = Beat(step.key, at, began, self.task, self.turn, step.part)
        return [beat] if step.key else [], at

    def seq(self, node: Seq, at: int) -> tuple[list[Beat], int]:
        beats: list[Beat] = []
        for part in node.parts:
            more, at = self.go(part, at)
            beats += more
        return beats, at

    def both(self, node: Both, at: int) -> tuple[list[Beat], int]:
        threads = [self.go(part, at) for part in node.parts]
        beats = sorted((beat for thread, _ in threads for beat in thread), key=lambda beat: beat.time)
        return beats, max(end for _, end in threads)

    def within(self, node: Task, at: int) -> tuple[list[Beat], int]:
        outer = self.task, self.turn
        self.turns += 1
        self.task, self.turn = node.name, self.turns
        beats, at = self.go(node.body, at)
        self.task, self.turn = outer
        return beats, at
