"""One task as an automaton over its steps: which steps may come next, whatever concurrent threads did so far.

A state is the set of steps done. A step may come when the steps directly before it, of those done, are such as
some run had; so what a fork began has to be complete where its threads join. Nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from deeplog_nb.workflow.order import Order, Pair

State = frozenset[int]
LEAST: Final = 1e-3  # share of what is too rare to have one of its own
BEGUN: Final = State()  # nothing done yet


@dataclass(frozen=True)
class Task:
    """Steps count from 1, and ``keys[s - 1]`` is step s's key; 0 is the end."""

    keys: tuple[int, ...]
    order: Order
    joins: Collection[tuple[State, int]]  # the steps directly before one, and the one; nothing before: the begin
    loops: frozenset[Pair]  # from a step back to an earlier one, or to itself
    shares: Mapping[Pair, float]  # of the runs at a step, how many go each edge; rare edges are left out
    presence: tuple[float, ...]  # share of the runs that are at each step at all
    usual: tuple[int, ...]  # the keys of its most frequent run

    def moves(self, done: State, key: int) -> Iterator[tuple[int, State, State]]:
        """The steps that this key can be now: step, the steps directly before it, what is done then.

        >>> free = frozenset({(1, 2), (1, 3)})
        >>> both = frozenset({(2, 3), (3, 2)})
        >>> joins = frozenset({(BEGUN, 1), (State({1}), 2), (State({1}), 3), (State({2, 3}), 0)})
        >>> task = Task((5, 7, 9), Order(free, frozenset(), both), joins, frozenset(), {}, (1.0, 1.0, 1.0), (5, 7, 9))
        >>> [(step, sorted(then)) for step, _, then in task.moves(State({1, 3}), 7)]
        [(2, [1, 2, 3])]
        """
        for step in self.steps_of.get(key, ()):
            sources, then = self.move(done, step)
            if self.allows(sources, done, step):
                yield step, sources, then

    def move(self, done: State, step: int) -> tuple[State, State]:
        """The steps directly before this one if it comes now, and what is done then."""
        return moved(self.order, done, step)

    def allows(self, sources: State, done: State, step: int) -> bool:
        """Whether the step may come directly behind these."""
        if overtaken(self.order, done, step) or self.order.excludes(done, step):
            return False
        return (
            all((source, step) in self.loops for source in sources) if step in done else (sources, step) in self.joins
        )

    def may_end(self, done: State) -> bool:
        """Whether the task can be over."""
        return (self.order.last(done), 0) in self.joins

    def next_steps(self, done: State) -> dict[int, float]:
        """The steps that may come now, and the share of the runs that go on with each; 0 where the task may be over."""
        found = {
            step: self.chance(sources, step) for key in self.steps_of for step, sources, _ in self.moves(done, key)
        }
        return found | ({0: self.chance(self.order.last(done), 0)} if self.may_end(done) else {})

    def chance(self, sources: State, step: int) -> float:
        """Share of the runs with these steps directly before that go on with the step."""
        return max(LEAST, min(self.shares.get((source, step), 0.0) for source in sources or {0}))

    @cached_property
    def forerunners(self) -> dict[int, State]:
        """For each step the likeliest way to it: all that is done before."""
        found: dict[int, tuple[float, State]] = {0: (1.0, BEGUN)}
        for step in sorted(
            self.steps, key=lambda each: sum((other, each) in self.order.before for other in self.steps)
        ):
            ways = [
                (self.chance(sources, step) * min(found.get(source, (0.0,))[0] for source in sources or {0}), sources)
                for sources, target in self.joins
                if target == step
            ]
            chance, best = max(ways, key=lambda way: (way[0], sorted(way[1])), default=(0.0, BEGUN))
            found[step] = chance, best.union(*(found.get(source, (0.0, BEGUN))[1] for source in best))
        return {step: done for step, (_, done) in found.items() if step}

    @property
    def steps(self) -> range:
        """The steps' numbers."""
        return range(1, len(self.keys) + 1)

    @cached_property
    def steps_of(self) -> dict[int, tuple[int, ...]]:
        """The steps at which each key stands."""
        return {
            key: tuple(step for step, own in enumerate(self.keys, 1) if own == key) for key in dict.fromkeys(self.keys)
        }


def moved(order: Order, done: State, step: int) -> tuple[State, State]:
    """The steps directly before one that comes now, and what is done then; a turn back takes up its loop anew."""
    if step not in done:
        return order.sources(done, step), done | {step}
    behind = order.last(order.round(step) & done)
    return behind, done - order.round(step) | {step}


def overtaken(order: Order, done: State, step: int) -> bool:
    """Whether a step that can only come after this one is done already."""
    return any((step, other) in order.before and (step, other) not in order.turns for other in done)
