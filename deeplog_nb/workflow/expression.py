"""A task on one line: ``44 -> 51 -> (18 || 25) -> [54] -> (39 -> 40)*``.

``->`` next, ``||`` concurrent, ``|`` one or the other, ``[ ]`` may be left out, ``*`` may be repeated, ``{ }`` in some
order that none of these tells. Only keys are shown: what they say is log text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from deeplog_nb.workflow.automaton import Task
from deeplog_nb.workflow.order import Pair

OPTIONAL: Final = 0.98  # share of the runs under which a step may be left out

Related = Callable[[int, int], bool]


def expression(task: Task, name: Callable[[int], str] = str) -> str:
    """The task on one line; ``name`` says how a key is shown.

    >>> from deeplog_nb.workflow.learning import learn
    >>> expression(learn([((57, 18, 56, 31, 40, 41), 80), ((57, 56, 18, 31, 40, 41, 40, 41), 20)], 0.01).task)
    '57 -> (18 || 56) -> 31 -> (40 -> 41)*'
    """
    return _Writer(task, name).write(frozenset(task.steps), 1.0)


@dataclass(frozen=True)
class _Writer:
    task: Task
    name: Callable[[int], str]

    def write(self, steps: frozenset[int], share: float) -> str:
        """These steps, of the runs of which the given share is at one of them."""
        if len(steps) == 1:
            return self.one(next(iter(steps)))
        together = self.task.order.together
        blocks = _parts(steps, lambda a, b: not self.ordered(a, b))
        if len(blocks) > 1:
            return self.series(sorted(blocks, key=lambda block: self.rank(block)), share)
        threads = _parts(steps, lambda a, b: (a, b) not in together)
        if len(threads) > 1:
            return f"({' || '.join(self.write(thread, share) for thread in threads)})"
        ways = self.ways(steps)
        if len(ways) > 1:
            return f"({' | '.join(self.write(way, self.present(way)) for way in ways)})"
        return f"{{{', '.join(map(self.one, sorted(steps)))}}}"

    def one(self, step: int) -> str:
        return self.name(self.task.keys[step - 1]) + "*" * ((step, step) in self.loops)

    @property
    def loops(self) -> set[Pair]:
        """The loops that are not rare."""
        return {loop for loop in self.task.loops if loop in self.task.shares}

    def rank(self, block: frozenset[int]) -> int:
        """How many of the task's steps come before all of the block."""
        return sum(all((step, own) in self.task.order.before for own in block) for step in self.task.steps)

    def ordered(self, one: int, other: int) -> bool:
        return not {(one, other), (other, one)}.isdisjoint(self.task.order.before)

    def ways(self, steps: frozenset[int]) -> list[frozenset[int]]:
        """The steps in parts of which each run has one."""
        return _parts(steps, lambda a, b: self.ordered(a, b) or (a, b) in self.task.order.together)

    def present(self, steps: frozenset[int]) -> float:
        """Share of the runs that have one of the steps."""
        return min(1.0, sum(max(self.task.presence[step - 1] for step in way) for way in self.ways(steps)))

    def series(self, blocks: Sequence[frozenset[int]], share: float) -> str:
        """One block after another; loops and what may be left out in brackets."""
        texts, at = [], 0
        spans = self.spans(blocks)
        while at < len(blocks):
            end = next((last for first, last in spans if first == at), at)
            if end > at:
                inner = " -> ".join(self.write(block, self.present(block)) for block in blocks[at : end + 1])
                texts.append((f"({inner})*", self.present(frozenset().union(*blocks[at : end + 1]))))
            else:
                texts.append((self.write(blocks[at], self.present(blocks[at])), self.present(blocks[at])))
            at = end + 1
        return " -> ".join(_bracketed(texts, share))

    def spans(self, blocks: Sequence[frozenset[int]]) -> list[Pair]:
        """From which block to which there are loops, the longest first."""
        found = {
            (first, last)
            for source, target in self.loops
            for first, one in enumerate(blocks)
            for last, other in enumerate(blocks)
            if target in one and source in other and first < last
        }
        return sorted(found, key=lambda span: (span[0], -span[1]))


def _bracketed(texts: Sequence[tuple[str, float]], share: float) -> list[str]:
    """Neighbours that are left out together stand in one pair of brackets."""
    found: list[tuple[list[str], float]] = []
    for text, present in texts:
        if found and abs(found[-1][1] - present) < 1 - OPTIONAL and present < OPTIONAL * share:
            found[-1][0].append(text)
        else:
            found.append(([text], present))
    inner = [(own[0][1:-1] if len(own) == 1 and _is_one(own[0]) else " -> ".join(own), own, p) for own, p in found]
    return [f"[{text}]" if present < OPTIONAL * share else " -> ".join(own) for text, own, present in inner]


def _is_one(text: str) -> bool:
    """Whether one pair of round brackets is around all of the text."""
    depth = [0]
    for sign in text:
        depth.append(depth[-1] + (sign == "(") - (sign == ")"))
    return text.startswith("(") and text.endswith(")") and 0 not in depth[1:-1]


def _parts(steps: frozenset[int], related: Related) -> list[frozenset[int]]:
    """The steps in connected parts, in the order of their first steps."""
    left, parts = sorted(steps), []
    while left:
        part, grown = {left[0]}, [left[0]]
        while grown:
            own = grown.pop()
            more = [step for step in left if step not in part and related(own, step)]
            part.update(more)
            grown += more
        parts.append(frozenset(part))
        left = [step for step in left if step not in part]
    return parts
