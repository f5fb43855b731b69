"""Spell: templates out of messages, by longest common subsequence (Du & Li, ICDM 2016), over distinct shapes.

The published algorithm takes one line after another. Ours takes each distinct *shape* (a message with its
values masked) once, in the order of first appearance; the parsing of lines is then a join. What Spell's
journal version calls *splitting* follows: a wildcard that stands for only a few words is part of the
message (``VM Started``, ``VM Paused``), not a parameter.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from deeplog_nb.events.align import captures, common, merge, template_of, words
from deeplog_nb.events.masks import HOLE, shape
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError, check

NEEDED = {"line": pl.UInt64(), "message": pl.String()}


@dataclass(frozen=True)
class Spell:
    """The miner and its two settings.

    >>> lines = pl.DataFrame({"message": ["Took 1.5 s", "Took 20 s", "VM Started", "VM Paused"]})
    >>> Spell().fit(lines).frame.select("key", "template", "count")
    shape: (3, 3)
    ┌─────┬────────────┬───────┐
    │ key ┆ template   ┆ count │
    │ --- ┆ ---        ┆ ---   │
    │ u32 ┆ str        ┆ u64   │
    ╞═════╪════════════╪═══════╡
    │ 1   ┆ Took <*> s ┆ 2     │
    │ 2   ┆ VM Started ┆ 1     │
    │ 3   ┆ VM Paused  ┆ 1     │
    └─────┴────────────┴───────┘
    """

    tau: float = 0.7  # share of the words (of shape and of template) that must be common to both
    split: int = 6  # a wildcard with at most so many different texts is no wildcard; 0 never splits

    def __post_init__(self) -> None:
        if not 0 < self.tau <= 1 or self.split < 0:
            raise InputError(f"tau is {self.tau}, split {self.split}; 0 < tau <= 1 and split >= 0 are wanted")

    def fit(self, lines: pl.DataFrame) -> Templates:
        """The templates of these messages; needs ``message``, takes ``line`` where it is there."""
        return Templates((), self.tau, self.split).learn(lines, self.mine)

    def extend(self, templates: Templates, lines: pl.DataFrame) -> Templates:
        """The same templates under the same keys, and new ones for the messages that fit none."""
        return templates.learn(lines, self.mine)

    def mine(self, shapes: Iterable[str]) -> list[str]:
        """One merged shape for each template, in the order of first appearance."""
        groups = _cluster(shapes, self.tau)
        parts = [part for group in groups for part in _split(group, self.split)]
        return [reduce(merge, part) for part in parts]


@dataclass
class _Cluster:
    shape: str
    members: list[str]
    constants: list[str]
    fields: list[str]

    def take(self, shape: str) -> None:
        self.members.append(shape)
        self.shape = merge(self.shape, shape)
        self.constants = _constants(self.shape)


def _cluster(shapes: Iterable[str], tau: float) -> list[list[str]]:
    clusters: list[_Cluster] = []
    holding: dict[str, set[int]] = defaultdict(set)  # word -> clusters that had it when they began
    same_words: dict[tuple[str, ...], _Cluster] = {}
    for each in shapes:
        spelled = tuple(words(each))
        cluster = same_words.get(spelled) or _closest(each, clusters, holding, tau)
        if cluster:
            cluster.take(each)
        else:
            cluster = _Cluster(each, [each], _constants(each), _fields(each))
            for word in cluster.constants:
                holding[word].add(len(clusters))
            clusters.append(cluster)
        same_words[spelled] = cluster
    return [cluster.members for cluster in clusters]


def _closest(shape: str, clusters: Sequence[_Cluster], holding: dict[str, set[int]], tau: float) -> _Cluster | None:
    """The cluster with the longest common subsequence, the shorter of two; None if it is not long enough."""
    constants, fields = _constants(shape), _fields(shape)
    own = Counter(constants)
    most: Counter[int] = Counter()  # how many words each cluster can have in common at the most
    for word, often in own.items():
        for number in holding.get(word, ()):
            most[number] += often
    close = [number for number, bound in most.items() if bound >= tau * len(constants)]
    best, longest = None, 0
    for number in sorted(close, key=lambda each: (-most[each], each)):  # ties by age, not by hash
        cluster = clusters[number]
        needed = tau * max(len(constants), len(cluster.constants))
        alike = (own & Counter(cluster.constants)).total()
        if alike < max(needed, longest) or cluster.fields != fields:
            continue
        length = len(common(constants, cluster.constants))
        shorter = best is None or len(cluster.constants) < len(best.constants)
        if length >= needed and (length > longest or (length == longest and shorter)):
            best, longest = cluster, length
    return best


def _split(members: list[str], most: int) -> list[list[str]]:
    """Part the members by the wildcard with the fewest texts, as long as one has few enough."""
    template = template_of(reduce(merge, members))
    texts = [captures(template, member) for member in members]
    columns = list(zip(*(row for row in texts if row is not None), strict=True))
    few = [(len(set(column)), at) for at, column in enumerate(columns) if _is_part_of_message(set(column), most)]
    if not few or any(row is None for row in texts):
        return [members]
    parts: dict[str, list[str]] = defaultdict(list)
    for text, member in zip(columns[min(few)[1]], members, strict=True):
        parts[text].append(member)
    return [smaller for part in parts.values() for smaller in _split(part, most)]


def _is_part_of_message(texts: set[str], most: int) -> bool:
    """A few texts, none of them holding a value."""
    return 2 <= len(texts) <= most and not any(HOLE in text for text in texts)


def _fields(shape: str) -> list[str]:
    """Names in front of an equals sign: messages that state other fields are other messages."""
    return re.findall(r"(\w+)=", shape)


def _constants(shape: str) -> list[str]:
    return [word for word in words(shape) if word != HOLE]


def distinct_shapes(lines: pl.DataFrame) -> pl.DataFrame:
    """``shape, count, example, first_line``: each distinct shape once, in the order of first appearance."""
    if "line" not in lines.columns:
        lines = lines.with_row_index("line", 1).with_columns(pl.col("line").cast(pl.UInt64))
    return (
        check(lines, NEEDED, "lines")
        .lazy()
        .group_by(shape=shape(pl.col("message")), maintain_order=True)
        .agg(count=pl.len().cast(pl.UInt64), example=pl.col("message").first(), first_line=pl.col("line").first())
        .collect()
    )
