"""Words of a shape, their longest common subsequence, and the template that two texts have in common.

A template is a tuple of literal texts with one wildcard between each two: ``("Took ", " seconds")`` is
``Took <*> seconds``. That is all that is needed to match, to capture and to print.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from deeplog_nb.events.masks import HOLE

Template = tuple[str, ...]
LONGEST: Final = 256  # words of a shape that are mined and matched; more of them hold data, not a message
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


def first_word(text: str) -> str:
    """The word that every text begins with which begins with this one; none where it might go on behind.

    >>> first_word("[open file"), first_word("open"), first_word(f"{HOLE} open")
    ('open', '', '')
    """
    found = _WORD.search(text)
    return found[0] if found and found[0] != HOLE and found.end() < len(text) else ""


def constants(text: str) -> list[str]:
    """The words that a shape is told by: no holes, no ``name=value``'s value, no ``true`` or ``null``.

    >>> constants(f"Took {HOLE} seconds, user=ana cached=false")
    ['Took', 'seconds', 'user', 'cached']
    """
    return [word for word in words(_STATED.sub("=", text)) if word != HOLE and word not in LITERALS]


def beginning(shape: str) -> str:
    """The shape as far as it is mined and matched: its first ``LONGEST`` words, and a hole for whatever follows.

    A template that is made of beginnings ends in a wildcard that takes the rest, so no text is lost.

    >>> beginning("word " * 1000).count("word"), beginning("short")
    (256, 'short')
    """
    if len(shape) <= LONGEST:
        return shape
    behind = next(islice(_WORD.finditer(shape), LONGEST, None), None)
    return shape if behind is None else shape[: behind.start()].rstrip(HOLE) + HOLE


def common(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of a longest common subsequence; of several, the one furthest left in ``right``.

    >>> common("ABCBDAB", "BDCABA")
    [(1, 0), (4, 1), (5, 3), (6, 4)]
    """
    gains = _gains(left, right)
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif _length(gains[i + 1], len(right) - j) >= _length(gains[i], len(right) - j - 1):
            i += 1
        else:
            j += 1
    return pairs


def longest(left: Sequence[str], right: Sequence[str]) -> int:
    """How many pairs :func:`common` finds, in less time.

    >>> longest("ABCBDAB", "BDCABA")
    4
    """
    return _gains(left, right)[0].bit_count()


def _gains(left: Sequence[str], right: Sequence[str]) -> list[int]:
    """The textbook table of the lengths of every two tails, a row one integer.

    Bit ``n`` of row ``i`` tells whether the last ``n + 1`` words of ``right`` have one word more in common with the
    tail of ``left`` from ``i`` on than the last ``n``. Source: Hyyrö, Bit-parallel LCS-length computation revisited
    (2004); 1,000 words by 1,000 take milliseconds.
    """
    places: dict[str, int] = {}
    for bit, word in enumerate(reversed(right)):
        places[word] = places.get(word, 0) | 1 << bit
    full = row = (1 << len(right)) - 1
    rows = [0]
    for word in reversed(left):
        hits = row & places.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
        rows.append(row ^ full)
    return rows[::-1]


def _length(row: int, last: int) -> int:
    return (row & ((1 << last) - 1)).bit_count()


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
