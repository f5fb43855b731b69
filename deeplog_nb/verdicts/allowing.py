"""What an alarm *is*, as a text that can be said to be normal; and the alarms that a person has said that of.

A pattern is exact: the same key after the same history; the same counts in a whole session; the same value, or a
number no farther off at the same place. Allowing one silences nothing else (see ``matching``). What models learn from
answers is in ``models``; who answered is in ``case``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.events.masks import HOLE, WILDCARD, shape
from deeplog_nb.frames import VERDICTS, check
from deeplog_nb.verdicts.matching import BETWEEN, allowed_by

ORDER: Final = ("unseen", "unlikely", "ended_early", "short")  # what is told by the history and the key
TOLD: Final = {"pattern": pl.String(), "session_pattern": pl.String()}
_FAR: Final = ("timing", "value")
_SHAPED: Final = r'^(\{"(?:history":\[[\d,]*\],"key":0|flagged":\[[a-z\d,]*\],"counts":[\[\]\d,]*)),"shapes?":.*\}$'


def with_patterns(verdicts: pl.DataFrame, *, history: int = 10, whole: bool = True) -> pl.DataFrame:
    """The verdicts with ``pattern``, what raised each alarm, and ``session_pattern``, what is odd about its session.

    Both are JSON texts, alike for alarms that are alike, null where there is none. ``pattern`` is, for a rule of
    order, the last ``history`` keys and the key (null: the end); for ``counts`` how often the session has each key; for
    ``timing`` and ``value`` the position, the key and the one before it, and up to where, or which text.
    ``session_pattern`` is how often the session has each key and at which keys it was flagged, values and waits apart;
    it is there where ``whole``: without an id a session is a file.

    >>> from deeplog_nb.frames import RANKS
    >>> from deeplog_nb.verdicts.judge import judge
    >>> from deeplog_nb.verdicts.policy import Policy
    >>> ranks = pl.DataFrame({"session": ["a"] * 3, "position": [0, 1, 2], "key": [4, 9, None],
    ...     "count": [1] * 3, "open": [False] * 3, "rank": [1, None, 2], "probability": [0.9, 0.0, 0.2]},
    ...     schema_overrides=dict(RANKS))
    >>> found = with_patterns(judge(ranks, policy=Policy(g=9)))
    >>> found["pattern"].to_list()
    [None, '{"history":[4],"key":9}', None]
    >>> found["session_pattern"][1]
    '{"flagged":[9],"counts":[[4,1],[9,1]]}'
    """
    rows = check(verdicts, VERDICTS, "verdicts").drop(*TOLD, strict=False).with_row_index("_row")
    flagged = rows.filter("anomalous")
    told = pl.concat([_order(rows, flagged, history), _counts(rows, flagged), _values(rows, flagged)], how="diagonal")
    texts = told.group_by("_row").agg(pattern=pl.col("pattern").sort().str.join(BETWEEN))
    wholes = _wholes(rows, flagged) if whole else pl.DataFrame(schema={"session": pl.String, **TOLD}).drop("pattern")
    return (
        rows.join(texts, on="_row", how="left", maintain_order="left")
        .join(wholes, on="session", how="left", maintain_order="left")
        .with_columns(session_pattern=pl.when("anomalous").then("session_pattern"))
        .drop("_row")
    )


def with_shape(verdicts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The verdicts with ``shape``: what messages of key 0 look like without values, so that alike ones are known."""
    if events.is_empty():
        return verdicts.with_columns(shape=pl.lit(None, pl.String))
    at = ["file", "line"]
    text = shape(pl.col("message")).str.replace_all(HOLE, WILDCARD, literal=True)
    strange = events.filter(pl.col("key") == 0).select(*at, pl.lit(0, pl.UInt32).alias("key"), shape=text)
    return verdicts.join(strange.unique(at), on=[*at, "key"], how="left", maintain_order="left")


def allow(verdicts: pl.DataFrame, patterns: Collection[str]) -> pl.DataFrame:
    """The verdicts with ``allowed``: whether the alarm is one that was said to be normal, so that it is none any more.

    The rules that fired stay visible, and ``why`` says that they were allowed.

    >>> rows = {"anomalous": [True], "why": ["unseen"], "pattern": ["p"], "session_pattern": [None], "unseen": [True]}
    >>> judged = pl.DataFrame(rows, schema_overrides=TOLD).with_columns(
    ...     pl.lit(None, kind).alias(name) for name, kind in VERDICTS.items() if name not in rows)
    >>> allow(judged, ["p"]).select("anomalous", "allowed", "why").rows()
    [(False, True, 'allowed: unseen')]
    """
    texts = pl.Series("pattern", list(patterns), dtype=pl.String)
    by_session = allowed_by(verdicts["session_pattern"], texts) & ~pl.any_horizontal(_FAR)
    said = by_session | allowed_by(verdicts["pattern"], texts)
    return verdicts.with_columns(allowed=said & pl.col("anomalous")).with_columns(
        anomalous=pl.col("anomalous") & ~pl.col("allowed"),
        why=pl.when("allowed").then(pl.format("allowed: {}", "why")).otherwise("why"),
    )


def without_shape(patterns: pl.Series) -> pl.Series:
    """The patterns as they are where the messages are not known: of what fits no template, its place alone.

    >>> without_shape(pl.Series(['{"history":[1],"key":0,"shape":"a <*>"}', "p"])).to_list()
    ['{"history":[1],"key":0}', 'p']
    """
    return patterns.str.replace(_SHAPED, "${1}}")


def _order(rows: pl.DataFrame, flagged: pl.DataFrame, history: int) -> pl.DataFrame:
    """``_row, pattern`` of what the history and the key tell; of what fits no template also its shape."""
    mine = flagged.filter(pl.any_horizontal(ORDER))
    look = _shape(mine)
    known = mine.with_columns(history=_before(rows, mine, history))
    plain, strange = pl.struct("history", "key"), pl.struct("history", "key", shape=look)
    text = pl.when(look.is_null()).then(plain.struct.json_encode()).otherwise(strange.struct.json_encode())
    return known.select("_row", pattern=text)


def _before(rows: pl.DataFrame, mine: pl.DataFrame, history: int) -> pl.Series:
    """The last keys before each of these rows in its session; none for a line that is in no session."""
    keys = rows["key"].fill_null(0).to_numpy()
    at, position = mine["_row"].to_numpy().astype(np.int64), mine["position"].fill_null(0).to_numpy().astype(np.int64)
    position = np.where(mine["session"].is_null().to_numpy(), 0, position)
    back = np.arange(history, 0, -1)  # [h]
    inside = position[:, None] >= back  # [R, h]
    found = keys[np.where(inside, at[:, None] - back, 0)]
    lists = [line[kept].tolist() for line, kept in zip(found, inside, strict=True)]
    return pl.Series("history", lists, dtype=pl.List(pl.UInt32))


def _counts(rows: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """``_row, pattern`` of the ends of sessions whose counts were flagged."""
    mine = flagged.filter("counts").select("_row", "session")  # the rule has the name of what it counts
    counted = mine.join(_count_lists(rows, mine), on="session", how="left", maintain_order="left")
    return counted.select("_row", pattern=pl.struct("counts").struct.json_encode())


def _wholes(rows: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """``session, session_pattern`` of the sessions where a rule of order or of counts fired."""
    odd = flagged.filter(pl.any_horizontal(*ORDER, "counts"), pl.col("session").is_not_null())
    where = odd.group_by("session").agg(flagged=pl.col("key").unique().sort(), shapes=_shape(odd).drop_nulls().sort())
    counted = where.join(_count_lists(rows, where), on="session", how="left")
    plain, strange = pl.struct("flagged", "counts"), pl.struct("flagged", "counts", "shapes")
    is_plain = pl.col("shapes").list.len() == 0
    text = pl.when(is_plain).then(plain.struct.json_encode()).otherwise(strange.struct.json_encode())
    return counted.select("session", session_pattern=text)


def _shape(rows: pl.DataFrame) -> pl.Expr:
    """What a message that fits no template looks like, where that is known."""
    return pl.col("shape") if "shape" in rows.columns else pl.lit(None, pl.String)


def _count_lists(rows: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """``session, counts``: how often each of these sessions has each key, as pairs in the order of the keys."""
    entries = rows.filter(pl.col("key").is_not_null()).join(
        sessions.select("session").unique(), on="session", how="semi"
    )
    counted = entries.group_by("session", "key").agg(count=pl.len().cast(pl.UInt32)).sort("key")
    return counted.group_by("session").agg(counts=pl.concat_list("key", "count"))


def _values(rows: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """``_row, pattern`` of values and waits: a new text is said as it is, a number by how far it went."""
    mine = flagged.filter(pl.any_horizontal(_FAR))
    if "worst" not in mine.columns or mine.is_empty():
        return pl.DataFrame(schema={"_row": pl.UInt32, "pattern": pl.String})
    before = pl.Series("before", rows["key"].gather(mine["_row"].cast(pl.Int64) - 1))
    at = mine.with_columns(before=pl.when(pl.col("position") > 0).then(before))
    side = pl.when(pl.col("seen") > pl.col("expected")).then(pl.lit("above")).otherwise(pl.lit("below"))
    place = [pl.col("before"), pl.col("key"), pl.col("worst").alias("at")]
    number = pl.struct(*place, side.alias("side"), pl.col("seen").alias("upto"))
    text = pl.struct(*place, pl.col("text"))
    return at.select(
        "_row",
        pattern=pl.when(pl.col("text").is_null())
        .then(number.struct.json_encode())
        .otherwise(text.struct.json_encode()),
    )
