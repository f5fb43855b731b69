"""Runs that are no task of their own, joined to the run before them (paper, 4.2).

Few keys, and always behind one particular task: so branches and the turns of a loop come back to where they belong.
Two types that only ever follow one another are one task.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.entries import Entries, Mask
from deeplog_nb.workflow.runs import Runs, cut, key_sets, with_turns

FEW: Final = 3  # distinct keys up to which what always follows one task is a branch of it
SOME: Final = 0.05  # of a task's runs: what so many have is one of its keys
SEEN: Final = 5  # times that one type came behind another from which on it is taken for always
MANY: Final = 20  # sessions from which on their beginnings say something
ROUNDS: Final = 3  # times that runs are joined and told apart anew, at most


def joined_runs(entries: Entries, begins: Mask, *, tau: float) -> Runs:
    """The entries cut where tasks begin, what is no task of its own joined to the run before it.

    >>> keys = np.array([1, 2, 3, 4, 5, 6, 3, 4, 7, 8, 9, 10])
    >>> begin = np.isin(np.arange(12), [0, 6, 8])
    >>> found = joined_runs(Entries(keys, np.array([12]), np.array([1])), begin, tau=0.9)
    >>> found.variants
    ((1, 2, 3, 4, 5, 6, 3, 4), (7, 8, 9, 10))
    """
    found = cut(entries, begins)
    for _ in range(ROUNDS):
        joined = _joined(found, entries, tau)
        if not joined.any():
            break
        begins = begins.copy()
        begins[found.begins[joined]] = False
        found = cut(entries, begins, key_sets(found.variants)[found.of_run][~joined])
    return with_turns(found, entries)


def _joined(found: Runs, entries: Entries, tau: float) -> Mask:
    """Which runs are joined to the one before: [R]."""
    types = found.types[found.of_run]
    if not len(types):
        return np.zeros(0, np.bool_)
    before = np.where(entries.firsts[found.begins], -1, np.concatenate([[-1], types[:-1]]))
    follows = _follows(types, before, found.weights)
    home = _homes(follows, _keys(found, 0.5), _keys(found, SOME), tau)
    group = np.array([home.get(each, each) for each in range(int(types.max()) + 1)])
    is_part = np.isin(types, list(home))
    parts = is_part & (before >= 0) & (group[types] == group[np.maximum(before, 0)])
    second = np.array([_only_behind(own, follows, tau) for own in range(int(types.max()) + 1)])
    found_: Mask = parts | ((before >= 0) & (second[types] == before))
    return found_


def _only_behind(own: int, follows: dict[int, Counter[int]], tau: float) -> int:
    """The type that this one always follows and that it is always followed by: both are one task; -2 is none."""
    other, times = follows[own].most_common(1)[0] if follows[own] else (-1, 0)
    ahead = Counter({each: counted[other] for each, counted in follows.items()})
    certain = (
        other not in (own, -1)
        and times >= SEEN
        and _share(follows[own], [other]) >= tau
        and _share(ahead, [own]) >= tau
    )
    return other if certain else -2


def _homes(
    follows: dict[int, Counter[int]], keys: dict[int, frozenset[int]], some: dict[int, frozenset[int]], tau: float
) -> dict[int, int]:
    """Type -> the type that it is a part of; of each type the usual keys, and those that some of its runs have."""
    home: dict[int, int] = {}
    for other in sorted(keys):
        if other in home:
            continue
        parts = {own for own in keys if own != other and own not in home and _may_be_part(keys[own], some[other])}
        if _begins_all(follows, other, tau):
            parts = _always_behind(parts, {other}, follows, tau)
        else:
            parts = _behind(parts, other, follows, keys, some[other], tau)
        home |= dict.fromkeys(parts, other)
    return home


def _behind(
    parts: set[int],
    other: int,
    follows: dict[int, Counter[int]],
    keys: dict[int, frozenset[int]],
    own_keys: frozenset[int],
    tau: float,
) -> set[int]:
    """The parts that come behind the type, or behind such a part; not two types that come behind one another."""
    found: set[int] = set()
    for _ in parts:
        more = {
            own for own in parts - found if _share(follows[own], found | {own, other}) >= tau and follows[own][other]
        }
        more = {own for own in more if keys[own] <= own_keys or _share(follows[other], {own, other}) < tau}
        if not more:
            break
        found |= more
    return found


def _may_be_part(own: frozenset[int], other: frozenset[int]) -> bool:
    return own <= other or (len(own) <= FEW and len(own) < len(other))


def _begins_all(follows: dict[int, Counter[int]], other: int, tau: float) -> bool:
    """Whether almost all sessions, of which there are many, begin with this type: then the others are behind it."""
    begun = Counter({own: counted[-1] for own, counted in follows.items()})
    return begun.total() >= MANY and _share(begun, [other]) >= tau


def _always_behind(parts: set[int], other: set[int], follows: dict[int, Counter[int]], tau: float) -> set[int]:
    """The parts that always come behind the type or behind one another."""
    left: set[int] = set()
    while left != parts:
        left, parts = parts, {own for own in parts if _share(follows[own], parts | other) >= tau}
    return parts


def _share(counted: Counter[int], chosen: Iterable[int]) -> float:
    return sum(counted[each] for each in chosen) / max(counted.total(), 1)


def _follows(types: Ints, before: Ints, weights: Ints) -> dict[int, Counter[int]]:
    """How often each type comes behind each; -1 is the beginning of a session."""
    pairs = pl.DataFrame({"own": types, "before": before, "count": weights}).group_by("own", "before").sum()
    found: dict[int, Counter[int]] = defaultdict(Counter)
    for own, other, count in pairs.rows():
        found[own][other] = count
    return found


def _keys(found: Runs, share: float) -> dict[int, frozenset[int]]:
    """The keys that at least this share of each type's runs have."""
    has: dict[int, Counter[int]] = defaultdict(Counter)
    total = Counter[int]()
    for variant, own, count in zip(found.variants, found.types.tolist(), found.counts.tolist(), strict=True):
        total[own] += count
        has[own].update(dict.fromkeys(set(variant), count))
    return {own: frozenset(key for key, count in has[own].items() if count >= share * total[own]) for own in total}
