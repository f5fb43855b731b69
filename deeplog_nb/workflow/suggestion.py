"""The history length and the g that the workflows call for (paper, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deeplog_nb.workflow.automaton import BEGUN, LEAST, State, Task
from deeplog_nb.workflow.texts import Texts, quoted

STATES: Final = 2_000  # of one task that are looked at


@dataclass(frozen=True, repr=False)
class Suggestion:
    """The smallest sensible settings of a key model, each with its reason."""

    history: int
    g: int
    why_history: str
    why_g: str

    def __repr__(self) -> str:
        return f"history {self.history}: {self.why_history}\ng {self.g}: {self.why_g}"


def suggest(tasks: Sequence[Task], texts: Texts | None) -> Suggestion:
    """H is the length of the shortest workflow, g the largest number of keys that may come next in any of them.

    >>> from deeplog_nb.workflow.learning import learn
    >>> task = learn([((57, 18, 56, 31), 80), ((57, 56, 18, 31), 20)], 0.01).task
    >>> found = suggest([task], None)
    >>> found.history, found.g
    (4, 2)
    >>> print(found.why_g)
    after key 57 (task 1) come key 18 or key 56
    """
    lengths = [(len(task.keys), number) for number, task in enumerate(tasks, 1) if len(task.keys) > 1]
    length, number = min(lengths, default=(1, 0))
    branches = [(len(keys), -own, keys, behind) for own, task in enumerate(tasks, 1) for keys, behind in _nexts(task)]
    g, own, keys, behind = max(branches, key=lambda each: each[:2], default=(1, 0, (), None))
    shown = " or ".join(quoted(key, texts) for key in keys[:6]) + (" …" if len(keys) > 6 else "")
    place = "at the begin" if behind is None else f"after {quoted(behind, texts)}"
    return Suggestion(
        length,
        max(g, 1),
        f"the shortest workflow, task {number}, has {length} steps; a longer history costs and tells no more"
        if number
        else "no workflow has more than one step",
        f"{place} (task {-own}) come {shown}" if g > 1 else "no workflow has a divergence point",
    )


def _nexts(task: Task) -> Iterator[tuple[tuple[int, ...], int | None]]:
    """The keys that may come next in each state of the task, rare ones left out, and the key that came last."""
    known: dict[State, int | None] = {BEGUN: None}
    left = [BEGUN]
    while left and len(known) < STATES:
        done = left.pop()
        steps = [step for step, share in task.next_steps(done).items() if step and share > LEAST]
        yield tuple(dict.fromkeys(task.keys[step - 1] for step in steps)), known[done]
        for step in steps:
            then = task.move(done, step)[1]
            if then not in known:
                known[then] = task.keys[step - 1]
                left.append(then)
