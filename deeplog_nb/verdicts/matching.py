"""Which alarms some patterns allow: those of which each single thing was said to be normal.

An alarm may have several reasons, and a session may be flagged at several keys; the fewer the models raise once they
have learnt, the fewer are asked for. What the texts of patterns look like is for ``allowing`` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import polars as pl

BETWEEN: Final = "\n"  # what tells two patterns of one row apart; JSON writes it otherwise
_ABOVE: Final = '"side":"above"'
_NUMBER: Final = r'^(.*),"upto":(.*)\}$'
_FLAGGED: Final = '{"flagged":['
_SESSION: Final = r'^\{"flagged":\[([a-z\d,]*)\],"counts":([\[\]\d,]*)(?:,"shapes":(\[.*\]))?\}$'


def allowed_by(alarms: pl.Series, patterns: pl.Series) -> pl.Series:
    r"""For each alarm, a pattern itself, whether these patterns together allow it.

    They do if each of its reasons, and each key at which its session was flagged, stands in one of them; a number may
    be nearer than the one that was allowed at the same place.

    >>> allowed_by(pl.Series(["a", "a\nc", None]), pl.Series(["a\nb"])).to_list()
    [True, False, False]
    >>> said = pl.Series(['{"flagged":[4,9],"counts":[[4,1],[9,1]]}'])
    >>> allowed_by(pl.Series(['{"flagged":[9],"counts":[[4,1],[9,1]]}']), said).to_list()
    [True]
    """
    asked, given = _things(alarms), _things(patterns)["thing"]
    within = asked["thing"].is_in(given.implode()) | _nearer(asked["thing"], given)
    return _rows(asked, ~within, len(alarms)).not_() & alarms.is_not_null()


def allows(patterns: pl.Series, alarms: pl.Series) -> pl.Series:
    r"""For each pattern whether it has a part in allowing one of these alarms, patterns themselves.

    >>> allows(pl.Series(["a", "b"]), pl.Series(["b", "c"])).to_list()
    [False, True]
    >>> allows(pl.Series(["a", "b"]), pl.Series(["a\nb", "a\nc"])).to_list()
    [True, True]
    """
    asked, given = _things(alarms.filter(allowed_by(alarms, patterns)))["thing"], _things(patterns)
    return _rows(given, given["thing"].is_in(asked.implode()) | _farther(given["thing"], asked), len(patterns))


Thing = int | str | None  # a key, or what a message looks like that fits no template


class Whole(NamedTuple):
    """Sessions that were allowed: how often they have each key, and all at which they may be flagged."""

    counts: Mapping[int, int]
    things: frozenset[Thing]


def things(keys: Iterable[int | None], shapes: Iterable[str]) -> frozenset[Thing]:
    """At what a session was flagged, one by one: keys, and in place of key 0 the shapes, where they are known.

    >>> sorted(things([0, 4], ["a <*>"]), key=str), things([0], [])
    ([4, 'a <*>'], frozenset({0}))
    """
    named = frozenset(shapes)
    return named.union(key for key in keys if key != 0 or not named)


def wholes(patterns: Iterable[str]) -> dict[tuple[tuple[int, int], ...], Whole]:
    """The sessions that these patterns allow, told by their counts.

    >>> wholes(['{"flagged":[9],"counts":[[4,1],[9,1]]}', '{"history":[4],"key":9}'])
    {((4, 1), (9, 1)): Whole(counts={4: 1, 9: 1}, things=frozenset({9}))}
    """
    found: dict[tuple[tuple[int, int], ...], Whole] = {}
    for told in (json.loads(text) for text in patterns if text.startswith(_FLAGGED)):
        counts = tuple((key, often) for key, often in told["counts"])
        before = found[counts].things if counts in found else frozenset[Thing]()
        found[counts] = Whole(dict(counts), before | things(told["flagged"], told.get("shapes", ())))
    return found


def _things(patterns: pl.Series) -> pl.DataFrame:
    """``row, thing``: what each of these patterns says, one by one; a null says nothing."""
    texts = patterns.cast(pl.String).alias("thing").to_frame().with_row_index("row").drop_nulls()
    each = texts.with_columns(pl.col("thing").str.split(BETWEEN)).explode("thing")
    whole = pl.col("thing").str.contains(_SESSION)
    return pl.concat([each.filter(~whole), *_of_sessions(each.filter(whole))])


def _of_sessions(whole: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys at which sessions of such counts were flagged, and of what fits no template the shapes instead."""
    flagged, counts, shapes = (pl.col("thing").str.extract(_SESSION, part) for part in (1, 2, 3))
    told = whole.select("row", counts=counts, key=flagged.str.split(","), shape=shapes)
    keys = told.explode("key").filter((pl.col("key") != "0") | pl.col("shape").is_null())
    lists = told.drop_nulls("shape").with_columns(pl.col("shape").str.json_decode(pl.List(pl.String)))
    return (
        keys.select("row", thing=pl.concat_str(pl.lit("key"), "counts", "key", separator=" ")),
        lists.explode("shape").select("row", thing=pl.concat_str(pl.lit("shape"), "counts", "shape", separator=" ")),
    )


def _rows(things: pl.DataFrame, mask: pl.Series, length: int) -> pl.Series:
    """Which rows have a thing that the mask marks."""
    marked = things["row"].filter(mask)
    return pl.int_range(length, dtype=pl.UInt32, eager=True).is_in(marked.implode())


def _nearer(asked: pl.Series, given: pl.Series) -> pl.Series:
    """Whether a number is no farther off than one that was allowed at the same place."""
    widest = _reaches(given).drop_nulls().group_by("place").agg(high=pl.col("upto").max(), low=pl.col("upto").min())
    beside = _reaches(asked).join(widest, on="place", how="left", maintain_order="left")
    within = pl.when(_above()).then(pl.col("upto") <= pl.col("high")).otherwise(pl.col("upto") >= pl.col("low"))
    return beside.select(within.fill_null(False)).to_series()


def _farther(given: pl.Series, asked: pl.Series) -> pl.Series:
    """Whether an allowed number is as far off as one that is asked for at the same place."""
    nearest = _reaches(asked).drop_nulls().group_by("place").agg(high=pl.col("upto").max(), low=pl.col("upto").min())
    beside = _reaches(given).join(nearest, on="place", how="left", maintain_order="left")
    beyond = pl.when(_above()).then(pl.col("upto") >= pl.col("low")).otherwise(pl.col("upto") <= pl.col("high"))
    return beside.select(beyond.fill_null(False)).to_series()


def _reaches(things: pl.Series) -> pl.DataFrame:
    """``place, upto`` of numbers; null for others. A quote within a name is escaped, so it ends none."""
    text = pl.col("thing")
    upto = text.str.extract(_NUMBER, 2).cast(pl.Float64, strict=False)
    return things.alias("thing").to_frame().select(place=text.str.extract(_NUMBER, 1), upto=upto)


def _above() -> pl.Expr:
    return pl.col("place").str.ends_with(_ABOVE)
