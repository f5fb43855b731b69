"""Which wildcards of a group are part of the message (``VM Started``, ``VM Paused``) and no parameters.

A parameter is told by where it stands and by what it says, as a print statement makes it: behind ``name=``,
in quotes, a dotted name, ``true``, a word that fills a parameter elsewhere in the same log. What is left and
takes only a few texts is part of the message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from deeplog_nb.events.align import LITERALS, captures, constants, merge, template_of, words
from deeplog_nb.events.cluster import fields
from deeplog_nb.events.masks import HOLE

_FIELD: Final = re.compile(r"(\w+)=([^\W\d]+)?")
_ASSIGNED: Final = re.compile(r"\w[=:][\"']?$")  # name=<?>, name:<?>
_NAMED: Final = re.compile(r"(\w+) +$")  # user <?>
_NAME_OF_A_THING: Final = re.compile(r"\w\.\w|@|^/")  # host, class, file, mail address
_ENCLOSED: Final = ("''", '""', "[]", "``")
_PUNCTUATION: Final = ".,:;()[]"


@dataclass(frozen=True)
class Evidence:
    """What a whole log says about values: names of its fields, and words that fill a parameter somewhere."""

    split: int
    names: frozenset[str]
    values: frozenset[str]

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]], split: int) -> Evidence:
        """Field names and values by ``name=value``; values, too, by wildcards of more than ``split`` texts."""
        stated = [pair for group in groups for shape in group for pair in _FIELD.findall(shape)]
        wide = [
            text for group in groups for column in _columns(group)[1] if len(set(column)) > split for text in column
        ]
        names = frozenset(name for name, _ in stated)
        return cls(split, names, frozenset({*wide, *(value for _, value in stated if value)}))

    def parts(self, members: Sequence[str]) -> list[list[str]]:
        """The group as one, or parted by the wildcard with the fewest texts, and each part again."""
        literals, columns = _columns(members)
        kinds = [
            [] if at and _is_unit(literals[at], column) else self._kinds(literals[at], column, literals[at + 1])
            for at, column in enumerate(columns)
        ]
        few = [(len(set(kind)), at) for at, kind in enumerate(kinds) if 2 <= len(set(kind)) <= self.split]
        if not few:
            return [list(members)]
        parted: dict[str, list[str]] = defaultdict(list)
        for kind, member in zip(kinds[min(few)[1]], members, strict=True):
            parted[kind].append(member)
        return [smaller for part in parted.values() for smaller in self.parts(part)]

    def _kinds(self, before: str, texts: Sequence[str], behind: str) -> list[str]:
        """Which message each text makes: every text its own, or, among values, those that begin with a word."""
        if self._introduces(before, behind):
            return []
        if any(map(_holds_value, texts)):
            return [_clause(text) for text in texts]
        different = set(texts)
        known = sum(text in self.values for text in different)
        return [] if 2 * known >= len(different) or different <= LITERALS else list(texts)

    def _introduces(self, before: str, behind: str) -> bool:
        """Whether the text around a wildcard announces a value: ``name=<?>``, ``'<?>'``, a known field's name."""
        if _ASSIGNED.search(before) or before[-1:] + behind[:1] in _ENCLOSED:
            return True
        named = _NAMED.search(before)
        return named is not None and named[1] in self.names


def split(groups: Iterable[Sequence[str]], most: int, tau: float) -> list[list[str]]:
    """The groups, parted where a wildcard stands for at most so many texts that are no values; 0 never parts.

    >>> split([["VM Started", "VM Paused"], ["mode=fast", "mode=slow"]], 6, 0.7)
    [['VM Started'], ['VM Paused'], ['mode=fast', 'mode=slow']]
    """
    groups = list(groups)
    evidence = Evidence.of(groups, most)
    return _joined([part for group in groups for part in evidence.parts(group)], evidence, tau)


def _joined(parts: Sequence[list[str]], evidence: Evidence, tau: float) -> list[list[str]]:
    """Parts that differ in one word, as one where together they would not be parted: then the word is a value."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        for signature in _signatures(reduce(merge, part), tau):
            alike[signature].append(number)
    home: dict[int, int] = {}
    for numbers in sorted((each for each in alike.values() if len(each) > 1), key=len, reverse=True):
        free = [number for number in numbers if number not in home]  # who was joined once is not the same any more
        together = [member for number in free for member in parts[number]]
        if len(free) > 1 and len(evidence.parts(together)) == 1:
            home |= dict.fromkeys(free, free[0])
    joined: dict[int, list[str]] = defaultdict(list)
    for number, part in enumerate(parts):
        joined[home.get(number, number)] += part
    return list(joined.values())


def _signatures(shape: str, tau: float) -> list[tuple[object, ...]]:
    """What two shapes share, for each place, if they have the same words and fields but for that place."""
    spelled = words(shape)
    hashes = [hash((at, word)) for at, word in enumerate(spelled)]
    whole, stated = reduce(xor, hashes, 0), tuple(fields(shape))
    own = constants(shape)
    return [
        (len(spelled), at, whole ^ each, stated)
        for at, (each, word) in enumerate(zip(hashes, spelled, strict=True))
        if 0 < len(own) - (word in own) >= tau * len(own)
    ]


def _columns(members: Sequence[str]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The literals around the wildcards of a group, and for each wildcard the text that each member has there."""
    template = template_of(reduce(merge, members))
    texts = [captures(template, member) for member in members]
    rows = [row for row in texts if row is not None]
    return template, list(zip(*rows, strict=True)) if len(rows) == len(members) else []


def _holds_value(text: str) -> bool:
    return HOLE in text or _NAME_OF_A_THING.search(text) is not None


def _is_unit(before: str, texts: Sequence[str]) -> bool:
    """One word or none right behind a value (`7 sec`, `7`)."""
    return before.isspace() and "" in texts and all(len(text.split()) <= 1 for text in texts)


def _clause(text: str) -> str:
    """The plain words beside the values of a text (`over 7 seconds`), but for a unit (`7 seconds`)."""
    tokens = text.split()
    plain = [token.strip(_PUNCTUATION) for token in tokens]
    at = [n for n, word in enumerate(plain) if word.isalpha() and not (n and tokens[n - 1].endswith(HOLE))]
    return " ".join(plain[n] for n in at) if len(tokens) > 1 else ""
