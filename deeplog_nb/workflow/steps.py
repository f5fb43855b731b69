"""The steps of one task, told from its runs: a key that comes at several places is a step at each of them.

A key stands at two places where another one, which comes once in a run, always lies between them: VMs are resumed
before they are spawned and once more after. What comes again without that is one step, which may be repeated. How
steps follow one another is for ``order`` to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deeplog_nb.workflow.kinds import Keys

ALWAYS: Final = 0.95  # share of the runs that is taken for all of them
Counted = Sequence[tuple[Keys, int]]  # sequences of keys, and how often each occurs


@dataclass(frozen=True)
class Stepped:
    """Runs as sequences of steps; step s has ``keys[s - 1]``, in order of their usual place."""

    keys: Keys
    runs: list[tuple[Keys, int]]  # of steps, one for each given run; keys left out are not in it
    places: list[Keys]  # where in its run of keys each step is


def stepped(variants: Counted, least: float) -> Stepped:
    """The runs as steps; keys that fewer than the ``least`` share of the runs have are no steps.

    >>> found = stepped([((4, 7, 5, 7), 9), ((4, 5, 7), 2), ((4, 7, 5, 9), 1)], 0.1)
    >>> found.keys, found.runs
    ((4, 7, 5, 7), [((1, 2, 3, 4), 9), ((1, 3, 4), 2), ((1, 2, 3), 1)])
    """
    common = _common(variants, least)
    kept = [tuple(at for at, key in enumerate(keys) if key in common) for keys, _ in variants]
    short = [(tuple(keys[at] for at in places), count) for (keys, count), places in zip(variants, kept, strict=True)]
    between = _separators(short, common, least * sum(count for _, count in short))
    labelled = [(_labels(keys, between), count) for keys, count in short]
    order = _usual_order(labelled, least)
    number = {label: step for step, label in enumerate(order, 1)}
    told = [tuple(number.get(label, 0) for label in labels) for labels, _ in labelled]
    runs = [(tuple(step for step in steps if step), count) for steps, (_, count) in zip(told, labelled, strict=True)]
    places = [
        tuple(at for at, step in zip(own, steps, strict=True) if step) for own, steps in zip(kept, told, strict=True)
    ]
    return Stepped(tuple(key for key, _ in order), runs, places)


def _common(variants: Counted, least: float) -> set[int]:
    has = Counter[int]()
    for keys, count in variants:
        has.update(dict.fromkeys(set(keys), count))
    total = sum(count for _, count in variants)
    return {key for key, count in has.items() if count >= least * total}


def _separators(variants: Counted, common: set[int], enough: float) -> dict[int, list[int]]:
    """For each key that comes more than once in enough runs, the keys that always lie between."""
    found = {}
    for key in sorted(common):
        own = [(keys, count) for keys, count in variants if keys.count(key) > 1]
        total = sum(count for _, count in own)
        if total < enough:
            continue
        between = Counter[int]()
        for keys, count in own:
            inner = keys[keys.index(key) + 1 : len(keys) - 1 - keys[::-1].index(key)]
            between.update({each: count for each in set(inner) if keys.count(each) == 1})
        found[key] = sorted(each for each, count in between.items() if each != key and count >= ALWAYS * total)
    return {key: between for key, between in found.items() if between}


def _labels(keys: Keys, between: dict[int, list[int]]) -> tuple[tuple[int, int], ...]:
    """Each key, and how many of its separators came before it."""
    passed: list[int] = []
    labels = []
    for key in keys:
        labels.append((key, sum(each in passed for each in between.get(key, ()))))
        passed.append(key)
    return tuple(labels)


def _usual_order(labelled: Sequence[tuple[tuple[tuple[int, int], ...], int]], least: float) -> list[tuple[int, int]]:
    """The labels by their mean place in the runs; rare ones are left out."""
    places, often = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for labels, count in labelled:
        for label in dict.fromkeys(labels):
            often[label] += count
            places[label] += count * (labels.index(label) / len(labels))  # type: ignore[assignment]
    total = sum(count for _, count in labelled)
    kept = [label for label, count in often.items() if count >= least * total]
    return sorted(kept, key=lambda label: (places[label] / often[label], label))
