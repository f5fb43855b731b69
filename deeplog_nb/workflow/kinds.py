"""Which runs are runs of the same task: those with most keys in common, with one other key, with the same head.

How runs are cut and joined is for ``runs`` and ``joining``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from deeplog_nb.sessions.windows import Ints

ALIKE: Final = 0.5  # of the keys of two runs are in both: more, and they are runs of one task
RARE: Final = 0.25  # of two runs' number: the rarer one with one other key is a branch of the other, not a task

Keys = tuple[int, ...]


def types_of(variants: tuple[Keys, ...], counts: list[int], begun: Sequence[Counter[int]]) -> Ints:
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
