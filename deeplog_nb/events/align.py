"""Words of a shape, their longest common subsequence, and the template that two texts have in common.

A template is a tuple of literal texts with one wildcard between each two: ``("Took ", " seconds")`` is
``Took <*> seconds``. That is all that is needed to match, to capture and to print.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from deeplog_nb.events.masks import HOLE

Template = tuple[str, ...]
_INNER: Final = rf"[^\s=:,;()\[\]{{}}\"'|<>{HOLE}]"
_WORD: Final = re.compile(rf"{_INNER}*\w{_INNER}*|{HOLE}")  # punctuation alone is no word

_STATED: Final = re.compile(r"""(?<=\w)=(?:"[^"]*"|'[^']*'|[^\s,;()\[\]]+)""")
LITERALS: Final = frozenset({"true", "false", "null", "True", "False", "None", "TRUE", "FALSE", "NULL", "nil", "NaN"})


def words(text: str) -> list[str]:
    """The words of a shape; a hole is a word of its own, delimiters are none.

    >>> words("VM Started (Lifecycle Event)")
    ['VM', 'Started', 'Lifecycle', 'Event']
    """
    return _WORD.findall(text)


def constants(text: str) -> list[str]:
    """The words that a shape is told by: no holes, no ``name=value``'s value, no ``true`` or ``null``.

    >>> constants(f"Took {HOLE} seconds, user=ana cached=false")
    ['Took', 'seconds', 'user', 'cached']
    """
    return [word for word in words(_STATED.sub("=", text)) if word != HOLE and word not in LITERALS]


def common(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of a longest common subsequence; of several, the one furthest left in ``right``.

    >>> common("ABCBDAB", "BDCABA")
    [(1, 0), (4, 1), (5, 3), (6, 4)]
    """
    table = _lengths(left, right)
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j] and table[i][j] == table[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _lengths(left: Sequence[str], right: Sequence[str]) -> list[list[int]]:
    """Length of the longest common subsequence of every two tails (the textbook table)."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(len(right) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if left[i] == right[j] else max(below[j], row[j + 1])
    return table


def template_of(shape: str) -> Template:
    """The template that makes exactly this shape.

    >>> template_of(f"Took {HOLE} seconds")
    ('Took ', ' seconds')
    """
    return tuple(shape.split(HOLE))


def merge(left: str, right: str) -> str:
    """What two shapes have in common, with a hole for whatever they have not; delimiters count too.

    >>> merge("open file a.txt for read", "open file b for read").replace(HOLE, "<*>")
    'open file <*> for read'
    """
    spans, others = _spans(left), _spans(right)
    pairs = common([left[a:b] for a, b in spans], [right[a:b] for a, b in others])
    merged, i, j = "", 0, 0
    for at, to in [*((spans[m], others[n]) for m, n in pairs), ((len(left),) * 2, (len(right),) * 2)]:
        merged += _gap(left[i : at[0]], right[j : to[0]]) + left[at[0] : at[1]]
        i, j = at[1], to[1]
    return re.sub(f"{HOLE}+", HOLE, merged)


def captures(template: Template, shape: str) -> list[str] | None:
    r"""The texts in a shape where the template has wildcards, or None if it does not fit.

    >>> captures(("Took ", " seconds"), f"Took about {HOLE} seconds")
    ['about \x1a']
    """
    first, last = template[0], template[-1]
    if len(template) == 1:
        return [] if shape == first else None
    if not shape.startswith(first) or not shape.endswith(last) or len(shape) < len(first) + len(last):
        return None
    found, start, end = [], len(first), len(shape) - len(last)
    for literal in template[1:-1]:
        at = shape.find(literal, start, end)
        if at < 0:
            return None
        found.append(shape[start:at])
        start = at + len(literal)
    return [*found, shape[start:end]]


def _spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD.finditer(text)]


def _gap(left: str, right: str) -> str:
    """The delimiters with which two gaps begin and end, around a hole; nothing but the gap where they agree."""
    if left == right:
        return left
    head = _shared(left, right)
    tail = _shared(left[head:][::-1], right[head:][::-1])
    return left[:head] + HOLE + left[len(left) - tail :]


def _shared(left: str, right: str) -> int:
    """How many delimiters both begin with; a wildcard never ends inside a word, or its words could not be found."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (a, b) in pairs if a != b or _WORD.match(a)), min(len(left), len(right)))
