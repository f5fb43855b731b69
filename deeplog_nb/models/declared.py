"""LABELS -> what they teach: pairs of a history and the key that was declared normal after it, and canaries.

A label on an entry, or on an end, teaches its own pair. One on a whole session teaches the key model nothing: it does
not say which of its histories are normal elsewhere too (on HDFS that lost three times as many anomalies as it cleared
false alarms). Nor do labels of values and waits. What an anomaly's label holds is never learnt: it is a canary.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import LABELS, SESSIONS, FrameError, check
from deeplog_nb.sessions.listed import as_sessions

PAIRS: Final = {
    "history": pl.List(pl.UInt32()),  # the last h keys before it; fewer where the session began there
    "key": pl.UInt32(),  # null: the session ended
    "count": pl.UInt32(),  # how often it was declared
}
_COUNTS: Final = '"counts":['  # in the patterns of whole sessions and their ends, and in no other
_ANSWERED: Final = {name: LABELS[name] for name in ("id", "position", "pattern", "verdict", "keys")}
_TOLD: Final = pl.Struct({"history": pl.List(pl.UInt32), "key": pl.UInt32})
_COUNTED: Final = pl.Struct({"counts": pl.List(pl.List(pl.UInt32))})


def pairs(labels: pl.DataFrame, history: int) -> pl.DataFrame:
    """PAIRS that these labels declare normal, each once, with the last ``history`` keys of each history.

    Takes PAIRS too, with or without ``count``. A key that fits no template (0) can be allowed, not learnt.

    >>> pairs(pl.DataFrame({"history": [[1, 2, 3]] * 2, "key": [7] * 2},
    ...     schema_overrides={"history": pl.List(pl.UInt32), "key": pl.UInt32}), 2).rows()
    [([2, 3], 7, 2)]
    """
    if not isinstance(labels, pl.DataFrame):
        raise FrameError(f"labels: give LABELS, such as case.labels(), or pairs, not a {type(labels).__name__}")
    if "pattern" not in labels.columns:
        counted = labels if "count" in labels.columns else labels.with_columns(count=pl.lit(1, pl.UInt32))
        told = check(counted, PAIRS, "labels").select(*PAIRS)
    else:
        told = _told(check(labels, _ANSWERED, "labels").filter(pl.col("verdict") == "normal"))
    known = told.filter(pl.col("key").ne_missing(0)).with_columns(history=pl.col("history").list.tail(history))
    return known.group_by("history", "key", maintain_order=True).agg(count=pl.col("count").sum().cast(pl.UInt32))


def counts_told(labels: pl.DataFrame) -> list[dict[int, int]]:
    """How often each key came in the sessions whose counts these LABELS are about, as their patterns say.

    The evidence would not do: of a long session it is the last keys alone, while the pattern counts all of them.

    >>> counts_told(pl.DataFrame({"pattern": ['{"flagged":[9],"counts":[[4,20000],[9,1]]}', '{"history":[4]}']}))
    [{4: 20000, 9: 1}]
    """
    whole = labels.filter(pl.col("pattern").str.contains(_COUNTS, literal=True))
    listed = _decoded(whole, _COUNTED)["counts"].drop_nulls().to_list()
    if not all(pair is not None and len(pair) == 2 and None not in pair for counts in listed for pair in counts):
        raise FrameError(
            "labels: a pattern counts keys otherwise than in pairs of key and count; judge the lines again"
        )
    return [dict(counts) for counts in listed]


def canaries(labels: pl.DataFrame) -> pl.DataFrame:
    """SESSIONS of the anomalies that these labels confirm: what an update must not lose."""
    if "pattern" not in labels.columns:
        return pl.DataFrame(schema=SESSIONS)
    wrong = check(labels, _ANSWERED, "labels").filter(pl.col("verdict") == "anomaly", pl.col("keys").list.len() > 0)
    return as_sessions(wrong.select(session=pl.format("label {}", "id"), keys="keys"))


def uncontradicted(told: pl.DataFrame, canaries: pl.DataFrame, history: int) -> pl.DataFrame:
    """The PAIRS that do not occur in a confirmed anomaly too: what is both cannot be learnt from the history alone."""
    if canaries.is_empty():
        return told
    listed = canaries.group_by("session", maintain_order=True).agg("key")["key"].to_list()
    rows = [pair for keys in listed for pair in _pairs_of(keys)]
    theirs = pl.DataFrame(rows, schema={"history": PAIRS["history"], "key": PAIRS["key"]}, orient="row")
    known = theirs.with_columns(history=pl.col("history").list.tail(history)).unique()
    text = pl.struct("history", "key").struct.json_encode()
    return told.filter(~text.is_in(known.select(text).to_series().implode()))


def as_asked(told: pl.DataFrame) -> pl.DataFrame:
    """SESSIONS in which each pair's key comes last, ``learn`` true there; a pair that is an end is a closed session."""
    ended = pl.col("key").is_null()
    keys = pl.when(ended).then("history").otherwise(pl.concat_list("history", "key"))
    listed = told.filter(~ended | (pl.col("history").list.len() > 0)).with_row_index("_row", 1)
    rows = as_sessions(listed.select(session=pl.format("declared {}", "_row"), keys=keys, open=~ended))
    last = pl.col("position") == pl.col("position").max().over("session")
    return rows.with_columns(learn=last & pl.col("open")).select(*SESSIONS, "learn")


def _told(normal: pl.DataFrame) -> pl.DataFrame:
    """PAIRS of LABELS on entries and ends."""
    read = _decoded(normal, _TOLD)
    return read.filter(pl.col("history").is_not_null()).with_columns(count=pl.lit(1, pl.UInt32))


def _decoded(labels: pl.DataFrame, kind: pl.Struct) -> pl.DataFrame:
    """What the patterns hold, a row for each that an alarm has."""
    try:
        texts = labels.select(pl.col("pattern").cast(pl.String).str.split("\n")).explode("pattern").drop_nulls()
        return texts.select(pl.col("pattern").str.json_decode(kind).alias("_told")).unnest("_told")
    except pl.exceptions.PolarsError as error:
        raise FrameError(f"labels: a pattern is none that this version writes ({error})") from error


def _pairs_of(keys: list[int]) -> list[tuple[list[int], int | None]]:
    """The pairs of a session, its end among them."""
    return [(keys[:at], key) for at, key in enumerate([*keys, None])]
