"""The runs of tasks that a log is cut into, and which of them are runs of the same task.

A run that is no task of its own is joined to the run before it, by the paper's rule (4.2): few keys, and always behind
one particular task. So branches and the turns of a loop come back to where they belong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.entries import Entries, Mask

FEW: Final = 3  # distinct keys up to which what always follows one task is a branch of it
ALIKE: Final = 0.5  # of the keys of two runs are in both: more, and they are runs of one task
RARE: Final = 0.25  # of two runs' number: the rarer one with one other key is a branch of the other, not a task
SOME: Final = 0.05  # of a task's runs: what so many have is one of its keys
SEEN: Final = 5  # times that one type came behind another from which on it is taken for always
MANY: Final = 20  # sessions from which on their beginnings say something
ROUNDS: Final = 3  # times that runs are joined and told apart anew, at most

Keys = tuple[int, ...]


@dataclass(frozen=True)
class Runs:
    """R runs in the order of the log, each with the type that it is of; types count from 0, the most frequent first."""

    begins: Ints  # [R] the entry that each begins with
    variants: tuple[Keys, ...]  # the distinct sequences of keys
    of_run: Ints  # [R] which of them each run is
    types: Ints  # [V] the type of each variant
    weights: Ints  # [R]

    @property
    def counts(self) -> Ints:
        """How often each variant occurs: [V]."""
        return np.bincount(self.of_run, self.weights, minlength=len(self.variants)).astype(np.int64)


def runs(entries: Entries, begins: Mask, *, tau: float) -> Runs:
    """The entries cut where tasks begin, what is no task of its own joined to the run before it.

    >>> keys = np.array([1, 2, 3, 4, 5, 6, 3, 4, 7, 8, 9, 10])
    >>> cut = np.isin(np.arange(12), [0, 6, 8])
    >>> found = runs(Entries(keys, np.array([12]), np.array([1])), cut, tau=0.9)
    >>> found.variants
    ((1, 2, 3, 4, 5, 6, 3, 4), (7, 8, 9, 10))
    """
    found = _cut(entries, begins)
    for _ in range(ROUNDS):
        joined = _joined(found, entries, tau)
        if not joined.any():
            break
        begins = begins.copy()
        begins[found.begins[joined]] = False
        found = _cut(entries, begins, _key_sets(found.variants)[found.of_run][~joined])
    return found


def _finished(entries: Entries, starts: Ints) -> Ints:
    """How often each run came to its end: the last one of a session that the log cut off did not."""
    rows = entries.rows[starts]
    last = np.append(rows[1:] != rows[:-1], True)[: len(rows)]
    cut = np.broadcast_to(entries.open_counts, entries.counts.shape)[rows]
    found: Ints = entries.counts[rows] - cut * last
    return found


def _key_sets(variants: tuple[Keys, ...]) -> Ints:
    """A number for the keys of each variant, whatever their order."""
    known: dict[frozenset[int], int] = {}
    return np.array([known.setdefault(frozenset(variant), len(known)) for variant in variants], np.int64)


def _cut(entries: Entries, begins: Mask, heads: Ints | None = None) -> Runs:
    """The runs that begin there; ``heads`` tell the keys that each had before something was joined to it."""
    starts = np.flatnonzero(begins)
    numbers = pl.Series("run", np.cumsum(begins)).set_sorted()
    listed = pl.DataFrame([numbers, pl.Series("keys", entries.keys)]).group_by("run", maintain_order=True).agg("keys")
    distinct = listed.select(pl.col("keys").unique(maintain_order=True)).with_row_index("variant")
    of_run = listed.join(distinct, on="keys", how="left", maintain_order="left")["variant"].to_numpy().astype(np.int64)
    variants = tuple(map(tuple, distinct["keys"].to_list()))
    weights = _finished(entries, starts)
    counts = np.bincount(of_run, weights, minlength=len(variants))
    begun = [Counter[int]() for _ in variants]
    if heads is not None:
        told = pl.DataFrame({"variant": of_run, "head": heads, "count": weights}).group_by("variant", "head").sum()
        for variant, head, count in told.rows():
            begun[variant][head] = count
    return Runs(starts, variants, of_run, _types(variants, counts.astype(int).tolist(), begun), weights)


def _types(variants: tuple[Keys, ...], counts: list[int], begun: Sequence[Counter[int]]) -> Ints:
    """The type of each variant: those with most keys in common, with one other key in one place, with the same head."""
    seen: dict[frozenset[int], int] = Counter()
    for variant, count in zip(variants, counts, strict=True):
        seen[frozenset(variant)] += count
    groups = _grouped(seen)
    usual = {group: _most_common(variants, counts, groups, group) for group in set(groups.values())}
    sizes = Counter[int]()
    for keys, count in seen.items():
        sizes[groups[keys]] += count
    merged = _with_heads(_with_branches(usual, sizes), variants, groups, begun)
    total = Counter[int]()
    for group, count in sizes.items():
        total[merged[group]] += count
    order = {group: place for place, (group, _) in enumerate(total.most_common())}
    return np.array([order[merged[groups[frozenset(variant)]]] for variant in variants], np.int64)


def _grouped(seen: dict[frozenset[int], int]) -> dict[frozenset[int], int]:
    """Each set of keys with the first more frequent one that has more than half of both in common."""
    leaders: list[frozenset[int]] = []
    groups = {}
    for keys in sorted(seen, key=lambda each: (-seen[each], sorted(each))):
        near = [(len(keys & each) / len(keys | each), -place) for place, each in enumerate(leaders)]
        likeness, place = max(near, default=(0.0, 0))
        if likeness > ALIKE:
            groups[keys] = -place
        else:
            groups[keys] = len(leaders)
            leaders.append(keys)
    return groups


def _most_common(
    variants: tuple[Keys, ...], counts: list[int], groups: dict[frozenset[int], int], group: int
) -> list[Keys]:
    """The most frequent sequences of a group, four at most."""
    own = [
        (count, variant) for variant, count in zip(variants, counts, strict=True) if groups[frozenset(variant)] == group
    ]
    return [variant for _, variant in sorted(own, reverse=True)[:4]]


def _with_branches(usual: dict[int, list[Keys]], sizes: Counter[int]) -> dict[int, int]:
    """Group -> the group that it is a rare branch of: the same keys but one, in the same place."""
    merged = {group: group for group in usual}
    for group, _ in reversed(sizes.most_common()):
        for other, size in sizes.most_common():
            rare = sizes[group] <= RARE * (sizes[group] + size)
            if other != group and rare and any(_one_apart(a, b) for a in usual[group] for b in usual[other]):
                merged[group] = merged[other]
                break
    return merged


def _with_heads(
    merged: dict[int, int],
    variants: tuple[Keys, ...],
    groups: dict[frozenset[int], int],
    begun: Sequence[Counter[int]],
) -> dict[int, int]:
    """Groups whose runs had the same keys before their branches were joined to them are one."""
    heads: dict[int, Counter[int]] = defaultdict(Counter)
    for variant, counted in zip(variants, begun, strict=True):
        heads[merged[groups[frozenset(variant)]]].update(counted)
    first: dict[int, int] = {}
    same = {}
    for group in sorted(heads):
        head, count = heads[group].most_common(1)[0] if heads[group] else (-1, 0)
        same[group] = first.setdefault(head, group) if 2 * count >= max(heads[group].total(), 1) else group
    return {group: same[other] for group, other in merged.items()}


def _one_apart(one: Keys, other: Keys) -> bool:
    return len(one) == len(other) > 2 and sum(a != b for a, b in zip(one, other, strict=True)) == 1


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
