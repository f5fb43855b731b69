"""The template store: which templates there are, under stable keys, and LINES -> EVENTS by them.

Immutable: learning more gives a new store that begins with the old one. It does not decide what a
template is; the miner it is handed does.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import polars as pl

from deeplog_nb.disk import write_whole
from deeplog_nb.events.align import Template, captures, constants, template_of, words
from deeplog_nb.events.masks import HOLE, MASK, WILDCARD, shape, values
from deeplog_nb.frames import TEMPLATES, InputError, ModelError, check

Miner = Callable[[Iterable[str]], Sequence[str]]
FORMAT: Final = 1
_MESSAGE: Final = {"message": pl.String()}
_RENDERED: Final = {"message": pl.String(), "key": pl.UInt32(), "parameters": pl.List(pl.String())}


@dataclass(frozen=True)
class Known:
    """One template: the literal texts around its wildcards, and where it was first seen."""

    literals: Template
    count: int
    example: str
    first_line: int
    generation: int = 0  # how often the store had been extended when this one came

    @property
    def text(self) -> str:
        """The template as people read it."""
        return WILDCARD.join(self.literals)


@dataclass(frozen=True)
class Templates:
    """Templates under the keys 1, 2, 3, …; key 0 is a message that fits none of them."""

    known: tuple[Known, ...]
    tau: float
    split: int

    def parse(self, lines: pl.DataFrame, *, parameters: bool = True) -> pl.DataFrame:
        """EVENTS: the lines with their key, and the texts where the template has wildcards.

        >>> from deeplog_nb.events.spell import Spell
        >>> lines = pl.DataFrame({"message": ["Took 1.5 s", "Took 20 s", "oops"]})
        >>> Spell().fit(lines.head(2)).parse(lines)
        shape: (3, 3)
        ┌────────────┬─────┬────────────┐
        │ message    ┆ key ┆ parameters │
        │ ---        ┆ --- ┆ ---        │
        │ str        ┆ u32 ┆ list[str]  │
        ╞════════════╪═════╪════════════╡
        │ Took 1.5 s ┆ 1   ┆ ["1.5"]    │
        │ Took 20 s  ┆ 1   ┆ ["20"]     │
        │ oops       ┆ 0   ┆ []         │
        └────────────┴─────┴────────────┘
        """
        bare = check(lines, _MESSAGE, "lines").drop("key", "parameters", strict=False)  # EVENTS may be parsed anew
        shaped = bare.with_columns(_shape=shape(pl.col("message")))
        assigned = self.assign(shaped["_shape"].unique(maintain_order=True))
        events = shaped.join(assigned.select(_shape="shape", key="key"), on="_shape", how="left", maintain_order="left")
        if parameters:
            events = _with_parameters(events, assigned)
        return events.drop("_shape")

    def assign(self, shapes: pl.Series) -> pl.DataFrame:
        """``shape, key, captured``: for each shape the template that fits it with the most literal text.

        Templates that came when the store was extended are asked last: what had a key keeps it.
        """
        found = [self._fit(each) for each in shapes]
        return pl.DataFrame(
            {"shape": shapes, "key": [key for key, _ in found], "captured": [texts for _, texts in found]},
            schema={"shape": pl.String, "key": pl.UInt32, "captured": pl.List(pl.String)},
        )

    def extend(self, lines: pl.DataFrame) -> Templates:
        """The same templates under the same keys, and new ones for the messages that fit none."""
        from deeplog_nb.events.spell import Spell

        return Spell(self.tau, self.split).extend(self, lines)

    def learn(self, lines: pl.DataFrame, mine: Miner) -> Templates:
        """A store with what the miner finds in the messages that fit no template so far."""
        from deeplog_nb.events.spell import distinct_shapes

        shapes = distinct_shapes(lines)
        unknown = shapes.join(self.assign(shapes["shape"]).filter(key=0), on="shape", maintain_order="left")["shape"]
        generation = max((k.generation + 1 for k in self.known), default=0)
        grown = self._with(mine(unknown), generation)
        left = grown.assign(unknown).filter(key=0)["shape"]  # a merge can overshoot: such a shape stands for itself
        return grown._with(left, generation)._without_idle(len(self), shapes)._counted(shapes)

    def render(self, events: pl.DataFrame) -> pl.Series:
        """The messages that keys and parameters stand for; a key 0 keeps the message it came with."""
        indexed = check(events, _RENDERED, "events").select(*_RENDERED).with_row_index("_row")
        if len(foreign := indexed.filter(pl.col("key") > len(self))):
            raise ModelError(
                f"key {foreign['key'][0]} is none of these {len(self)} templates; parse the lines with them"
            )
        parts = [self._render(part) for part in indexed.partition_by("key")]
        return pl.concat([indexed.clear().select("_row", "message"), *parts]).sort("_row")["message"]

    @property
    def frame(self) -> pl.DataFrame:
        """TEMPLATES: one row a template."""
        rows = [(key, k.text, k.count, k.example, k.first_line) for key, k in enumerate(self.known, 1)]
        return pl.DataFrame(rows, schema=dict(TEMPLATES), orient="row")

    @cached_property
    def digest(self) -> str:
        """What a model remembers to know its templates by: changes with whatever decides which key a message gets."""
        return _sha256([MASK, float(self.tau), [(k.literals, k.generation) for k in self.known]])

    def text(self, key: int) -> str:
        """A template as people read it; for key 0 what that means."""
        return self.known[key - 1].text if 0 < key <= len(self.known) else "a message that fits no known template"

    def save(self, path: Path | str) -> None:
        """Write the store as JSON, whole or not at all."""
        content = {"format": FORMAT, "digest": self.digest, "tau": float(self.tau), "split": self.split}
        content |= {"templates": [asdict(each) for each in self.known]}
        body = json.dumps(content | {"sha256": _sha256(content)}, ensure_ascii=False, indent=1)
        write_whole(Path(path), body.encode())

    @classmethod
    def load(cls, path: Path | str) -> Templates:
        """Read a store that :meth:`save` wrote; refuses one that was changed or is of another version."""
        try:
            content = json.loads(Path(path).read_bytes())
            whole = content.pop("sha256") == _sha256(content)
            store = cls(tuple(map(_known, content["templates"])), float(content["tau"]), int(content["split"]))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); give a file that save() wrote") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{path}: not a template store ({type(error).__name__}: {error})") from error
        if not whole or content["format"] != FORMAT or content["digest"] != store.digest:
            raise ModelError(f"{path}: changed since it was saved, or saved by another version; mine it anew")
        return store

    def __len__(self) -> int:
        return len(self.known)

    def __repr__(self) -> str:
        return f"Templates({len(self)} templates of {sum(k.count for k in self.known):,} messages)"

    def _fit(self, shape: str) -> tuple[int, list[str]]:
        spelled = words(shape)
        told = len(constants(shape))
        for key in sorted({key for word in {*spelled, ""} for key in self._index.get(word, ())}, key=self._rank):
            texts = captures(self.known[key - 1].literals, shape)
            own = self._constants[key - 1]
            if texts is not None and own >= self.tau * told and (own or set(texts) <= {HOLE}):
                return key, texts
        return 0, []

    def _rank(self, key: int) -> tuple[int, int, int]:
        known = self.known[key - 1]
        return known.generation, -sum(map(len, known.literals)), key

    @cached_property
    def _constants(self) -> list[int]:
        return [len(constants(HOLE.join(k.literals))) for k in self.known]

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        """Templates by their longest word: only a shape that holds it can fit."""
        index = defaultdict(list)
        for key, known in enumerate(self.known, 1):
            own = [word for word in words(HOLE.join(known.literals)) if word != HOLE]
            index[max(own, key=len, default="")].append(key)
        return index

    def _with(self, shapes: Iterable[str], generation: int) -> Templates:
        fresh = [Known(template_of(each), 0, "", 0, generation) for each in dict.fromkeys(shapes)]
        return replace(self, known=(*self.known, *fresh))

    def _without_idle(self, old: int, shapes: pl.DataFrame) -> Templates:
        """Drop those of the new templates that no shape prefers to a more literal one."""
        used = set(self.assign(shapes["shape"])["key"])
        return replace(self, known=tuple(k for key, k in enumerate(self.known, 1) if key <= old or key in used))

    def _counted(self, shapes: pl.DataFrame) -> Templates:
        """Count, example and first line of each template, once every shape has found its own."""
        seen = (
            self.assign(shapes["shape"])
            .select("key")
            .hstack(shapes.select("count", "example", "first_line"))
            .group_by("key")
            .agg(pl.col("count").sum(), pl.col("example").first(), pl.col("first_line").first())
        )
        news = {row["key"]: row for row in seen.to_dicts()}
        return replace(self, known=tuple(_updated(k, news.get(key)) for key, k in enumerate(self.known, 1)))

    def _render(self, part: pl.DataFrame) -> pl.DataFrame:
        key = int(part["key"][0])
        if key == 0:
            return part.select("_row", "message")
        literals = self.known[key - 1].literals
        texts = [pl.col("parameters").list.get(at) for at in range(len(literals) - 1)]
        pieces = [piece for pair in zip_longest(map(pl.lit, literals), texts) for piece in pair if piece is not None]
        return part.select("_row", message=pl.concat_str(pieces))


def _with_parameters(events: pl.DataFrame, assigned: pl.DataFrame) -> pl.DataFrame:
    """The masked values are the parameters, but for shapes of which a template's wildcard covers more."""
    covered = assigned.filter(pl.col("captured").list.eval(pl.element() != HOLE).list.any())
    plain = events.with_columns(
        parameters=pl.when(pl.col("key") == 0).then(pl.lit([], pl.List(pl.String))).otherwise(values(pl.col("message")))
    )
    if covered.is_empty():
        return plain
    captured = dict(zip(covered["shape"].to_list(), covered["captured"].to_list(), strict=True))
    parts = [
        _recapture(part, captured.get(part["_shape"][0]))
        for part in plain.with_row_index("_row")
        .join(covered.select(_shape="shape"), on="_shape")
        .partition_by("_shape")
    ]
    rest = plain.with_row_index("_row").join(covered.select(_shape="shape"), on="_shape", how="anti")
    return pl.concat([rest, *parts]).sort("_row").drop("_row")


def _recapture(part: pl.DataFrame, captured: list[str] | None) -> pl.DataFrame:
    """Fill each captured text's holes with the masked values, in order."""
    used, filled = 0, []
    for text in captured or []:
        literals = text.split(HOLE)
        holes = [pl.col("parameters").list.get(used + at) for at in range(len(literals) - 1)]
        used += len(holes)
        pieces = [piece for pair in zip_longest(map(pl.lit, literals), holes) for piece in pair if piece is not None]
        filled.append(pl.concat_str(pieces))
    return part.with_columns(parameters=pl.concat_list(filled))


def _known(entry: dict[str, Any]) -> Known:
    literals = tuple(str(text) for text in entry["literals"])
    numbers = int(entry["count"]), str(entry["example"]), int(entry["first_line"]), int(entry["generation"])
    return Known(literals, *numbers)


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _updated(known: Known, news: dict[str, Any] | None) -> Known:
    if news is None:
        return known
    count = known.count + news["count"]
    if known.count:
        return replace(known, count=count)
    return replace(known, count=count, example=news["example"], first_line=news["first_line"])
