"""A person's word on templates: merge, split, rename, pin, and EVENTS brought up to date with it.

Keys are never used again: a merged one is retired, a split one goes on for the texts that were not named. A model
that was trained with the old store does not know the keys of the new one: its digest tells it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import polars as pl

from deeplog_nb.events.align import Template, constants, merge, template_of
from deeplog_nb.events.masks import HOLE, WILDCARD, shape
from deeplog_nb.events.match import PINNED
from deeplog_nb.events.rewrite import Rewrite, merging, rewritten, splitting
from deeplog_nb.events.spell import numbered
from deeplog_nb.events.templates import Change, Known, Templates
from deeplog_nb.frames import InputError, ModelError

MOST: Final = 50  # templates that one split may make; more texts than that are a parameter
_AFFECTED = {
    "key": pl.UInt32(),
    "to": pl.UInt32(),
    "count": pl.UInt64(),  # lines
    "trained": pl.Boolean(),  # whether all that is known of ``to`` was known of keys that it is made of
    "template": pl.String(),  # of ``to``
}


@dataclass(frozen=True)
class Edit:
    """A new store, which keys it changes (``key, to, count, trained, template``), and the lines that has changed."""

    templates: Templates
    affected: pl.DataFrame
    lines: pl.DataFrame  # of the lines given with the edit those whose key or parameters changed, with key and to

    def __repr__(self) -> str:
        return f"Edit({self.templates!r}, {len(self.affected)} keys changed, {self.affected['count'].sum():,} lines)"


def edited(
    store: Templates,
    *,
    merge: Iterable[Sequence[int]],
    split: Mapping[int, int | Mapping[int, Sequence[str]]],
    rename: Mapping[int, str],
    pin: Iterable[str | int],
    lines: pl.DataFrame | None,
) -> Edit:
    """Pins first, then merges, splits and names; see :meth:`Templates.edit`."""
    merge, pin = _groups(merge), _pins(pin)
    _refuse_others(split=split, rename=rename)
    new = store
    for wanted in pin:
        new = _pinned(new, wanted, _number(store))
    for group in merge:
        new = _merged(new, group, _number(store))
    for key, places in split.items():
        new = _split(new, key, _texts(new, key, places, lines), _number(store))
    for key, name in rename.items():
        new = _renamed(new, key, name, _number(store))
    return _edit(store, new, lines)


def remapped(store: Templates, events: pl.DataFrame, since: Templates) -> pl.DataFrame:
    """EVENTS of an earlier state of this store as this one would parse them; they need their messages for that."""
    known, done = store.known[: len(since.known)], len(since.rewrites)
    if [k.literals for k in known] != [k.literals for k in since.known] or store.rewrites[:done] != since.rewrites:
        raise ModelError("these templates did not come from those that parsed the events; parse the lines with them")
    pins = [k.generation for k in known] != [k.generation for k in since.known]
    pins |= any(k.generation == PINNED for k in store.known[len(known) :])
    later = store.rewrites[done:]
    if pins or "parameters" not in events.columns:
        return store.parse(events, parameters="parameters" in events.columns)
    numbered = events.with_row_index("_place")
    strange = numbered.filter(key=0).pipe(store.parse).select(numbered.columns)
    rest = rewritten(numbered.filter(pl.col("key") != 0), later)
    return pl.concat([strange, rest]).sort("_place").drop("_place")


def _groups(merge: Iterable[Sequence[int]]) -> list[list[int]]:
    groups = list(merge) if isinstance(merge, Iterable) else [merge]
    if any(isinstance(each, str) or not isinstance(each, Iterable) for each in groups):
        raise InputError(f"merge is {merge!r}; give a list of groups of keys: merge=[(3, 7)]")
    return [list(each) for each in groups]


def _pins(pin: Iterable[str | int]) -> list[str | int]:
    if isinstance(pin, str) or not isinstance(pin, Iterable):
        raise InputError(f"pin is {pin!r}; give a list of templates or keys: pin=[{pin!r}]")
    return list(pin)


def _refuse_others(*, split: object, rename: object) -> None:
    """Refuse what is no mapping of keys to what is wanted of them."""
    if not isinstance(split, Mapping) or not all(isinstance(each, int | Mapping) for each in split.values()):
        raise InputError(
            f"split is {split!r}; give keys with a wildcard, or its texts: split={{3: 0}}, {{3: {{0: ['a']}}}}"
        )
    if not isinstance(rename, Mapping) or not all(isinstance(each, str) for each in rename.values()):
        raise InputError(f"rename is {rename!r}; give keys with names, which are texts: rename={{3: 'login'}}")


def _number(store: Templates) -> int:
    return max((each.edit for each in store.changes), default=0) + 1


def _changed(store: Templates, edit: int, action: str, key: int | None, to: int, what: str) -> Templates:
    return replace(store, changes=(*store.changes, Change(edit, action, key, to, what)))


def _literals(store: Templates, key: int) -> Template:
    if key not in store.current:
        raise InputError(f"key {key} is none of these templates ({store.text(key)}); give keys of templates.frame")
    return store.current[key]


def _pinned(store: Templates, wanted: str | int, edit: int) -> Templates:
    if isinstance(wanted, str):
        literals = _written(wanted)
        same = next((key for key, text in store.current.items() if text == literals), None)
        if same is None or store.known[same - 1].literals != literals or store.known[same - 1].origin == "split":
            return _added(store, literals, same, edit)
        wanted = same
    text = WILDCARD.join(_literals(store, wanted))
    if store.known[wanted - 1].origin == "split":
        raise InputError(f"key {wanted} was split from another, which finds it; pin that one")
    for key in [each for each in range(1, len(store.known) + 1) if _end(store, each) == wanted]:  # with what was merged
        store = _with(store, key, generation=PINNED)
    return _changed(store, edit, "pin", wanted, wanted, text)


def _added(store: Templates, literals: Template, same: int | None, edit: int) -> Templates:
    """With a pinned template, which is part of the one that has its text by an earlier edit."""
    grown = replace(store, known=(*store.known, Known(literals, 0, "", 0, PINNED, "pinned")))
    pinned = _changed(grown, edit, "pin", None, len(grown.known), WILDCARD.join(literals))
    return pinned if same is None else _merged(pinned, (same, len(grown.known)), edit)


def _written(text: str) -> Template:
    """The literals of a template that a person wrote; what is always masked cannot be literal."""
    literals = tuple(text.split(WILDCARD))
    if not constants(text.replace(WILDCARD, HOLE)):
        raise InputError(f"the pinned template {text!r} has no word of its own and would take any message; write one")
    as_shape = pl.select(shape(pl.lit(text))).item()
    if template_of(as_shape) != literals:
        shown = as_shape.replace(HOLE, WILDCARD)
        raise InputError(f"the pinned template {text!r} holds a value, which is always masked; write {shown!r}")
    return literals


def _merged(store: Templates, group: Sequence[int], edit: int) -> Templates:
    keys = sorted(set(group))
    if len(keys) < 2:
        raise InputError(f"merge got the group {list(group)}; give two or more different keys, as in merge=[(3, 7)]")
    literals = {key: _literals(store, key) for key in keys}
    whole = template_of(reduce(merge, map(HOLE.join, literals.values())))
    rewrites = [merging(key, own, keys[0], whole) for key, own in literals.items()]
    known = [store.known[key - 1] for key in keys]
    first = min((k for k in known if k.count), key=lambda k: k.first_line, default=known[0])
    new = replace(store, rewrites=(*store.rewrites, *rewrites))
    new = _with(new, keys[0], count=sum(k.count for k in known), example=first.example, first_line=first.first_line)
    for key in keys[1:]:
        new = _changed(new, edit, "merge", key, keys[0], WILDCARD.join(whole))
    return new


def _texts(
    store: Templates, key: int, places: int | Mapping[int, Sequence[str]], lines: pl.DataFrame | None
) -> dict[int, list[str]]:
    """For one wildcard of a key, the texts to split by: those given, or those that the lines have there."""
    most = len(_literals(store, key)) - 1
    given = {places: None} if isinstance(places, int) else dict(places)
    if any(isinstance(each, str) for each in given.values()):
        raise InputError(f"split of key {key} is by {given}; give a list of texts, as in {{0: ['a', 'b']}}")
    if len(given) != 1 or not 0 <= (at := next(iter(given))) < most:
        accepted = f"give one of 0 to {most - 1}" if most else "it has none to split by"
        raise InputError(f"split of key {key} names the wildcards {list(given)}, of which it has {most}; {accepted}")
    if (texts := given[at]) is None:
        if lines is None:
            raise InputError(
                f"split of key {key} needs lines=… to see the texts at wildcard {at}, or {{{at}: [texts]}}"
            )
        own = store.parse(lines).filter(key=key)["parameters"]
        texts = own.list.get(at).unique(maintain_order=True).to_list()
    if not 0 < len(set(texts)) <= MOST:
        raise InputError(
            f"key {key} has {len(texts)} texts at wildcard {at}; a split makes 1 to {MOST} templates of them"
        )
    return {at: list(dict.fromkeys(texts))}


def _split(store: Templates, key: int, texts: Mapping[int, Sequence[str]], edit: int) -> Templates:
    new = store
    for at, text in ((at, text) for at, each in texts.items() for text in each):
        rewrite = splitting(key, store.current[key], len(new.known) + 1, at, text)
        child = Known(rewrite.literals, 0, "", 0, origin="split")
        new = replace(new, known=(*new.known, child), rewrites=(*new.rewrites, rewrite))
        new = _changed(new, edit, "split", key, len(new.known), text)
    return new


def _renamed(store: Templates, key: int, name: str, edit: int) -> Templates:
    _literals(store, key)
    if not name.strip() or not name.isprintable():
        raise InputError(
            f"the name {name!r} for key {key} is empty or holds what cannot be shown; give one line of text"
        )
    return _changed(_with(store, key, name=name), edit, "rename", key, key, name)


def _with(store: Templates, key: int, **news: object) -> Templates:
    known = replace(store.known[key - 1], **news)  # type: ignore[arg-type]
    return replace(store, known=(*store.known[: key - 1], known, *store.known[key:]))


def _edit(old: Templates, new: Templates, lines: pl.DataFrame | None) -> Edit:
    if lines is None:
        later = [each for each in new.rewrites[len(old.rewrites) :] if each.source <= len(old.known)]
        moved = dict.fromkeys((each.source, _end(new, each.target), _moved(old, each)) for each in later)
        schema = {name: _AFFECTED[name] for name in ("key", "to", "count")}
        return Edit(new, _told(pl.DataFrame(list(moved), schema=schema, orient="row"), old, new), pl.DataFrame())
    changed = [key for key, literals in new.current.items() if old.current.get(key) != literals]
    both = new.parse(numbered(lines)).rename({"key": "to"}).with_columns(old.parse(lines, parameters=False)["key"])
    there = both.filter((pl.col("key") != pl.col("to")) | pl.col("to").is_in(changed))
    rows = there.group_by("key", "to").agg(count=pl.len().cast(pl.UInt64)).sort("key", "to")
    return Edit(_recounted(new, there.filter(pl.col("to") > len(old.known))), _told(rows, old, new), there)


def _end(store: Templates, key: int) -> int:
    """The key that this one was merged into, and that one, and so on."""
    for each in store.rewrites:
        if each.action == "merge" and each.source == key:
            key = each.target
    return key


def _moved(old: Templates, rewrite: Rewrite) -> int:
    """Lines that a merge moves, as the store counts them; how many a split moves can only lines tell."""
    return old.known[rewrite.source - 1].count if rewrite.action == "merge" else 0


def _recounted(store: Templates, gone: pl.DataFrame) -> Templates:
    """Counts and examples of the keys that are new, by their lines, and what is left to those that had them."""
    for row in gone.group_by("to").agg(pl.len(), pl.col("message").first(), pl.col("line").min()).to_dicts():
        store = _with(store, row["to"], count=row["len"], example=row["message"], first_line=row["line"])
    for row in gone.filter(pl.col("key") != 0).group_by("key").len().to_dicts():
        store = _with(store, row["key"], count=max(0, store.known[row["key"] - 1].count - row["len"]))
    return store


def _told(moved: pl.DataFrame, old: Templates, new: Templates) -> pl.DataFrame:
    """With the template, and whether a model of the old store knew what the new key stands for."""
    texts = {key: WILDCARD.join(literals) for key, literals in new.current.items()}
    return moved.with_columns(
        trained=pl.col("to").is_in(list(old.current)) & (pl.col("key") != 0),
        template=pl.col("to").replace_strict(texts, default="", return_dtype=pl.String),
    )
