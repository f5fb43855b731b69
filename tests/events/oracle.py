"""Spell as it was published (Du & Li, ICDM 2016), line by line, to be read beside ours: an oracle, not a product.

Every line is cut at white space and compared with every template by their longest common subsequence. The template
with the longest takes the line, the shorter one of two, if that is at least tau of the line's tokens, and is cut
down to it. Nothing is masked and nothing split: those steps are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl


def classic(messages: Sequence[str], tau: float = 0.5) -> list[int]:
    """For each line the number of its template, as the templates stood when the line came."""
    templates: list[list[str]] = []
    found = []
    for message in messages:
        tokens = message.split()
        best, longest = None, 0
        for number, template in enumerate(templates):
            if (Counter(tokens) & Counter(template)).total() < max(tau * len(tokens), longest):
                continue  # not even in another order has it enough in common: the answer is the same without
            length = len(subsequence(tokens, template))
            shorter = best is not None and length == longest and len(template) < len(templates[best])
            if length >= tau * len(tokens) and (length > longest or shorter or best is None):
                best, longest = number, length
        if best is None:
            best = len(templates)
            templates.append(tokens)
        templates[best] = subsequence(tokens, templates[best])
        found.append(best)
    return found


def subsequence(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """A longest common subsequence, by the textbook's table of lengths of all beginnings."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    common, i, j = [], len(left), len(right)
    while i and j:
        if table[i][j] == table[i - 1][j]:
            i -= 1
        elif table[i][j] == table[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            common.append(left[i])
    return common[::-1]


def accuracy(ours: Sequence[object], theirs: Sequence[object]) -> tuple[float, float]:
    """GA, the share of lines whose group is exactly one of theirs, and FGA, the F1 of the groups."""
    sizes = pl.DataFrame({"ours": ours, "theirs": theirs}).group_by("ours", "theirs").len()
    alone = (pl.len().over("ours") == 1) & (pl.len().over("theirs") == 1)
    exact = sizes.filter(alone)
    groups = sizes["ours"].n_unique() + sizes["theirs"].n_unique()
    return exact["len"].sum() / len(ours), 2 * len(exact) / groups


def rand(ours: Sequence[object], theirs: Sequence[object]) -> float:
    """The Rand index: of all pairs of lines, the share that both put together or both put apart."""

    def pairs(*names: str) -> int:
        sizes = both.group_by(*names).len()["len"].cast(pl.Int64)
        return int((sizes * (sizes - 1) // 2).sum())

    both = pl.DataFrame({"ours": ours, "theirs": theirs})
    every = len(ours) * (len(ours) - 1) // 2
    return (every + 2 * pairs("ours", "theirs") - pairs("ours") - pairs("theirs")) / every
