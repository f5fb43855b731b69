"""The template store: which templates there are, under stable keys, and LINES -> EVENTS by them.

Immutable: learning more, or editing, gives a new store in which every key means what it meant, or is retired. It
does not decide what a template is; the miner it is handed does, and the person who edits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from deeplog_nb.events.align import Template, beginning, template_of
from deeplog_nb.events.masks import HOLE, MASK, WILDCARD, messages, shape, values
from deeplog_nb.events.match import Matcher, Pattern
from deeplog_nb.events.rewrite import Rewrite, filled, interleaved, rewritten
from deeplog_nb.events.store import read_store, sha256, write_store
from deeplog_nb.frames import TEMPLATES, Frame, ModelError, batch_by_batch, check

if TYPE_CHECKING:
    from deeplog_nb.events.edit import Edit
    from deeplog_nb.events.unseen import Unseen

Miner = Callable[[Iterable[str]], Sequence[str]]
_RENDERED = {"message": pl.String(), "key": pl.UInt32(), "parameters": pl.List(pl.String())}
_HISTORY = {"edit": pl.UInt32(), "action": pl.String(), "key": pl.UInt32(), "to": pl.UInt32(), "what": pl.String()}


@dataclass(frozen=True)
class Known:
    """One template: the literal texts around its wildcards, and where it was first seen."""

    literals: Template
    count: int
    example: str
    first_line: int
    generation: int = 0  # how often the store had been extended when this one came; a pinned one is asked before all
    origin: str = "mined"  # or pinned, or split: such a one is found by the template that it was split from
    name: str = ""  # what people call it


@dataclass(frozen=True)
class Change:
    """One entry of a store's history: ``key`` became ``to``; ``what`` is the text, the value or the name."""

    edit: int
    action: str
    key: int | None
    to: int
    what: str


@dataclass(frozen=True)
class Templates:
    """Templates under the keys 1, 2, 3, …, of which edits retire some; key 0 is a message that fits none of them."""

    known: tuple[Known, ...]  # of key 1, 2, 3, …: append-only, retired ones too
    tau: float
    split: int
    rewrites: tuple[Rewrite, ...] = ()
    changes: tuple[Change, ...] = ()

    def parse(self, lines: Frame, *, parameters: bool = True) -> Frame:
        """EVENTS: the lines with their key, and the texts where the template has wildcards.

        Lazy lines give lazy events: ``templates.parse(dl.scan(paths)).sink_parquet("events.parquet")`` takes a log
        of any size in constant memory.

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
        whole = isinstance(lines, pl.DataFrame)
        return batch_by_batch(lines, partial(self._parse, parameters=parameters, whole=whole))

    def _parse(self, lines: pl.DataFrame, *, parameters: bool, whole: bool) -> pl.DataFrame:
        bare = messages(lines).drop("key", "parameters", strict=False)  # EVENTS may be parsed anew
        masked = bare.lazy().with_columns(_shape=shape(pl.col("message")))
        shaped = masked.collect(engine="streaming" if whole else "in-memory")  # batches keep all cores busy as it is
        assigned = self.assign(shaped["_shape"].unique(maintain_order=True))
        events = shaped.join(assigned.select(_shape="shape", key="key"), on="_shape", how="left", maintain_order="left")
        by_value = any(rewrite.at is not None for rewrite in self.rewrites)
        if parameters or by_value:
            events = _with_parameters(events, assigned)
        events = rewritten(events.drop("_shape"), self.rewrites)
        return events if parameters else events.drop("parameters", strict=False)

    def assign(self, shapes: pl.Series) -> pl.DataFrame:
        """``shape, key, captured``: for each shape the template that fits it with the most literal text.

        Templates that came when the store was extended are asked last: what had a key keeps it. Edits are not
        in it: they rewrite what is found here.
        """
        found = [self._matcher.fit(each) for each in shapes]
        return pl.DataFrame(
            {"shape": shapes, "key": [key for key, _ in found], "captured": [texts for _, texts in found]},
            schema={"shape": pl.String, "key": pl.UInt32, "captured": pl.List(pl.String)},
        )

    def extend(self, lines: pl.DataFrame | pl.LazyFrame) -> Templates:
        """The same templates under the same keys, and new ones for the messages that fit none."""
        from deeplog_nb.events.spell import Spell

        return Spell(self.tau, self.split).extend(self, lines)

    def learn(self, lines: pl.DataFrame | pl.LazyFrame, mine: Miner) -> Templates:
        """A store with what the miner finds in the messages that fit no template so far."""
        from deeplog_nb.events.spell import distinct_shapes

        shapes = distinct_shapes(lines)
        unknown = shapes.join(self.assign(shapes["shape"]).filter(key=0), on="shape", maintain_order="left")["shape"]
        generation = max((k.generation + 1 for k in self.known), default=0)
        grown = self._with(mine(unknown), generation)
        left = grown.assign(unknown).filter(key=0)["shape"]  # a merge can overshoot: such a shape stands for itself
        return grown._with(left, generation)._settled(len(self.known), lines, shapes)

    def edit(
        self,
        *,
        merge: Iterable[Sequence[int]] = (),
        split: Mapping[int, int | Mapping[int, Sequence[str]]] | None = None,
        rename: Mapping[int, str] | None = None,
        pin: Iterable[str | int] = (),
        lines: pl.DataFrame | None = None,
    ) -> Edit:
        """A new store as a person wants it, and what that does to which keys; this store stays as it is.

        ``merge`` are groups of keys that are one template: the lowest key is kept. ``split`` is, for a key, the
        wildcard (0 is the first) of which each text that these ``lines`` have there is a template of its own, or
        ``{wildcard: texts}``. ``rename`` gives names to show. ``pin`` are templates with ``<*>``, or keys, that are
        asked before all others. Done in the order pin, merge, split, rename.

        >>> from deeplog_nb.events.spell import Spell
        >>> templates = Spell().fit(pl.DataFrame({"message": ["VM Started", "VM Paused"]}))
        >>> templates.edit(merge=[(1, 2)], rename={1: "state"}).templates.frame.select("key", "template", "name").rows()
        [(1, 'VM <*>', 'state')]
        """
        from deeplog_nb.events.edit import edited

        return edited(self, merge=merge, split=split or {}, rename=rename or {}, pin=pin, lines=lines)

    def remap(self, events: pl.DataFrame, *, since: Templates) -> pl.DataFrame:
        """EVENTS that an earlier state of this store parsed, as this one would parse them."""
        from deeplog_nb.events.edit import remapped

        return remapped(self, events, since)

    def unseen(self, lines: pl.DataFrame, *, every: str = "1h") -> Unseen:
        """How many of these LINES (or EVENTS, which are not parsed again) fit no template, over time, and which."""
        from deeplog_nb.events.unseen import unseen

        return unseen(lines if "key" in lines.columns else self.parse(lines, parameters=False), every=every)

    def render(self, events: pl.DataFrame) -> pl.Series:
        """The messages that keys and parameters stand for; a key 0 keeps the message it came with."""
        indexed = check(events, _RENDERED, "events").select(*_RENDERED).with_row_index("_row")
        if len(foreign := indexed.filter(~pl.col("key").is_in([0, *self.current]))):
            raise ModelError(
                f"key {foreign['key'][0]} is none of these {len(self)} templates; parse the lines with them"
            )
        parts = [self._render(part) for part in indexed.partition_by("key")]
        return pl.concat([indexed.clear().select("_row", "message"), *parts]).sort("_row")["message"]

    @property
    def frame(self) -> pl.DataFrame:
        """TEMPLATES: one row a template, with the ``name`` that a person gave it."""
        kept = [(key, WILDCARD.join(literals), self.known[key - 1]) for key, literals in self.current.items()]
        rows = [(key, text, k.count, k.example, k.first_line, k.name or None) for key, text, k in kept]
        return pl.DataFrame(rows, schema=TEMPLATES | {"name": pl.String()}, orient="row")

    @property
    def history(self) -> pl.DataFrame:
        """``edit, action, key, to, what``: what people did to this store, and what became of which key."""
        rows = [(each.edit, each.action, each.key, each.to, each.what) for each in self.changes]
        return pl.DataFrame(rows, schema=_HISTORY, orient="row")

    @cached_property
    def current(self) -> dict[int, Template]:
        """The literal texts of each key that is not retired, as the edits left them."""
        literals = {key: known.literals for key, known in enumerate(self.known, 1) if known.origin != "split"}
        for rewrite in self.rewrites:
            literals[rewrite.target] = rewrite.literals
            if rewrite.action == "merge" and rewrite.source != rewrite.target:
                del literals[rewrite.source]
        return dict(sorted(literals.items()))

    @cached_property
    def digest(self) -> str:
        """What a model remembers to know its templates by: changes with whatever decides which key a message gets."""
        patterns = [(k.literals, k.generation, k.origin) for k in self.known]
        return sha256([MASK, float(self.tau), patterns, [vars(each) for each in self.rewrites]])

    def text(self, key: int) -> str:
        """A template's name, or as people read it; for key 0, or one that is retired, what that means."""
        if key in self.current:
            return self.known[key - 1].name or WILDCARD.join(self.current[key])
        merged = [each.target for each in self.rewrites if each.action == "merge" and each.source == key]
        return f"merged into key {merged[-1]}" if merged else "a message that fits no known template"

    def save(self, path: Path | str) -> None:
        """Write the store as JSON, whole or not at all."""
        write_store(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Templates:
        """Read a store that :meth:`save` wrote; refuses one that was changed or is of another version."""
        return read_store(Path(path))

    def __len__(self) -> int:
        return len(self.current)

    def __repr__(self) -> str:
        return f"Templates({len(self)} templates of {self.frame['count'].sum():,} messages)"

    @cached_property
    def _matcher(self) -> Matcher:
        asked = [(key, known) for key, known in enumerate(self.known, 1) if known.origin != "split"]
        return Matcher(tuple(Pattern(key, k.literals, k.generation) for key, k in asked), self.tau)

    def _with(self, shapes: Iterable[str], generation: int) -> Templates:
        fresh = [Known(template_of(each), 0, "", 0, generation) for each in dict.fromkeys(map(beginning, shapes))]
        return replace(self, known=(*self.known, *fresh))

    def _settled(self, old: int, lines: pl.DataFrame | pl.LazyFrame, shapes: pl.DataFrame) -> Templates:
        """With counts and examples, and without those of the new templates that no message prefers to another."""
        seen = self._seen(lines, shapes).group_by("key")
        rows = (
            seen.agg(pl.col("count").sum(), pl.col("example").first(), pl.col("first_line").min()).collect().to_dicts()
        )
        news = {row["key"]: row for row in rows}
        kept = [(key, known) for key, known in enumerate(self.known, 1) if key <= old or key in news]
        return replace(self, known=tuple(_updated(known, news.get(key)) for key, known in kept))

    def _seen(self, lines: pl.DataFrame | pl.LazyFrame, shapes: pl.DataFrame) -> pl.LazyFrame:
        """``key, count, example, first_line`` of each shape; of each line where edits look into the values."""
        from deeplog_nb.events.spell import numbered

        if not self.rewrites:
            return self.assign(shapes["shape"]).select("key").hstack(shapes.drop("shape")).lazy()
        events = self.parse(numbered(lines.lazy()), parameters=False)
        return events.select("key", count=pl.lit(1, pl.UInt64), example="message", first_line="line")

    def _render(self, part: pl.DataFrame) -> pl.DataFrame:
        key = int(part["key"][0])
        if key == 0:
            return part.select("_row", "message")
        return part.select("_row", message=interleaved(self.current[key]))


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
        part.with_columns(parameters=filled(captured[part["_shape"][0]]))
        for part in plain.with_row_index("_row")
        .join(covered.select(_shape="shape"), on="_shape")
        .partition_by("_shape")
    ]
    rest = plain.with_row_index("_row").join(covered.select(_shape="shape"), on="_shape", how="anti")
    return pl.concat([rest, *parts]).sort("_row").drop("_row")


def _updated(known: Known, news: dict[str, Any] | None) -> Known:
    if news is None:
        return known
    count = known.count + news["count"]
    if known.count:
        return replace(known, count=count)
    return replace(known, count=count, example=news["example"], first_line=news["first_line"])
