"""Which wildcards of a group are part of the message (``VM Started``, ``VM Paused``) and no parameters.

A parameter is told by where it stands and by what it says, as a print statement makes it: behind ``name=``,
in quotes, a dotted name, ``true``, a word that fills a parameter elsewhere in the same log, or by how it varies:
freely beside another wildcard (each flag for each tenant), or by the same words as in another group (``User ana
logged in``, ``Password changed for ana``). What is left and takes only a few texts is part of the message.

Three names in one statement of a log that says them nowhere else look like three states: nothing in the log tells
``User ana logged in`` from ``VM Paused``. A person can: ``templates.edit(merge=[(1, 2, 3)])``, or beforehand
``templates.edit(pin=["User <*> logged in"])``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, combinations
from operator import xor
from typing import Final

from deeplog_nb.events.align import LITERALS, captures, constants, merge, template_of, words
from deeplog_nb.events.cluster import fields
from deeplog_nb.events.masks import HOLE

WIDE: Final = 6  # texts; a wildcard of more is a parameter for certain, and tells what its words are elsewhere
TOGETHER: Final = 3  # words that name things if they are found together in two groups; two are on and off, up and down
_FIELD: Final = re.compile(r"(\w+)=([^\W\d]+)?")
_ASSIGNED: Final = re.compile(r"\w[=:][\"']?$")  # name=<?>, name:<?>
_NAMED: Final = re.compile(r"(\w+) +$")  # user <?>
_NAME_OF_A_THING: Final = re.compile(r"\w[./]\w|@|^/")  # host, class, file, mail address, space/name
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
        """Field names and values by ``name=value``; values, too, by wildcards of many texts, or that vary freely."""
        stated = [pair for group in groups for shape in group for pair in _FIELD.findall(shape)]
        columns = [_columns(group) for group in groups]
        wide = {text for _, each in columns for column in each if len(set(column)) > WIDE for text in column}
        names = frozenset(name for name, _ in stated)
        told = cls(split, names, frozenset({*wide, *(value for _, value in stated if value)}))
        few = [[kind for _, kind in told._few(*each)] for each in columns]
        return replace(told, values=told.values.union(*map(_crossed, few), _together(few)))

    def _few(self, literals: Sequence[str], columns: Sequence[Sequence[str]]) -> list[tuple[int, list[str]]]:
        """The wildcards that make a few messages, each with the message that every member is by it."""
        kinds = [
            [] if at and _is_unit(literals[at], column) else self._kinds(literals[at], column, literals[at + 1])
            for at, column in enumerate(columns)
        ]
        return [(at, kind) for at, kind in enumerate(kinds) if 2 <= len(set(kind)) <= self.split]

    def parts(self, members: Sequence[str]) -> list[list[str]]:
        """The group as one, or parted by the wildcard with the fewest texts, and each part again if that makes few."""
        few = self._few(*_columns(members))
        if not few:
            return [list(members)]
        parted: dict[str, list[str]] = defaultdict(list)
        fewest = min(few, key=lambda each: len(set(each[1])))[1]
        for kind, member in zip(fewest, members, strict=True):
            parted[kind].append(member)
        whole = list(parted.values())
        again = [smaller for part in whole for smaller in self.parts(part)]
        return again if len(again) <= max(WIDE, len(whole)) else whole

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

    Where several do, one position in a group is enough if together they made more than ``WIDE`` parts.

    >>> split([["VM Started", "VM Paused"], ["mode=fast", "mode=slow"]], 6, 0.7)
    [['VM Started'], ['VM Paused'], ['mode=fast', 'mode=slow']]
    """
    groups = list(groups)
    evidence = Evidence.of(groups, most)
    return _joined([part for group in groups for part in evidence.parts(group)], evidence, tau)


def _crossed(few: Sequence[Sequence[str]]) -> set[str]:
    """The texts of wildcards that vary freely: with each text of one with fewer, nearly each of theirs was seen."""
    ranked = sorted(enumerate(few), key=lambda each: (len(set(each[1])), -each[0]))
    free: set[str] = set()
    for (_, fewer), (_, more) in combinations(ranked, 2):
        different = set(fewer), set(more)
        if 4 * len(set(zip(fewer, more, strict=True))) > 3 * len(different[0]) * len(different[1]):
            free |= different[1]
    return free


def _together(few: Sequence[Sequence[Sequence[str]]]) -> set[str]:
    """Words of which several are found together at wildcards of two groups: they name things."""
    groups: dict[tuple[str, ...], set[int]] = defaultdict(set)
    found = [(number, sorted(set(kind))) for number, each in enumerate(few) for kind in each]
    for number, different in found:
        for some in combinations(different, TOGETHER):
            groups[some].add(number)
    twice = [
        different for _, different in found if any(len(groups[some]) > 1 for some in combinations(different, TOGETHER))
    ]
    return set(chain.from_iterable(twice))


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
        if len(free) > 1 and _says_enough(together, tau) and len(evidence.parts(together)) == 1:
            home |= dict.fromkeys(free, free[0])
    joined: dict[int, list[str]] = defaultdict(list)
    for number, part in enumerate(parts):
        joined[home.get(number, number)] += part
    return list(joined.values())


def _says_enough(members: Sequence[str], tau: float) -> bool:
    """Whether what they all have in common is enough of each, or the template would not fit them when they come."""
    return len(constants(reduce(merge, members))) >= tau * max(len(constants(each)) for each in members)


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
