"""Is this log one that a key model can learn, and is the model that was learnt from it still the right one?

Figures and one sentence, before any training; with RANKS also how the model holds out hour by hour. No truth is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from deeplog_nb.frames import RANKS, SESSIONS, TIME, InputError, check

PARTS: Final = 10  # of the log, for the growth of its key set
UNSEEN: Final = 0.01  # share of an hour's entries with keys that the first part lacks, over which to retrain
COVERED: Final = 0.99  # share of an hour's entries among the g most probable, under which to retrain
GROWN: Final = 0.2  # share of all keys that come in the log's second half only, over which it is still growing
_EVENTS: Final = {"key": pl.UInt32(), "time": TIME}


@dataclass(frozen=True)
class Suitability:
    """What the log's keys look like; ``verdict`` says it in one sentence."""

    growth: pl.DataFrame  # part, entries, keys: distinct keys so far, after each tenth of the entries
    keys: pl.DataFrame  # key, entries, sessions (null without sessions)
    singletons: float  # share of the keys that occur once
    coverage: float  # share of the second half's entries whose key occurs in the first
    hours: pl.DataFrame  # hour, entries, unseen (share), covered (share among the top g; null without ranks), retrain
    verdict: str


def suitability(
    events: pl.DataFrame, *, sessions: pl.DataFrame | None = None, ranks: pl.DataFrame | None = None, g: int = 9
) -> Suitability:
    """How the key set grows, how many keys come once, how far the first half covers the second, and hour by hour.

    ``events`` in the order of the log, with ``key`` and ``time``; ``sessions`` of the same for sessions per key;
    ``ranks`` (with ``time``) of a model for the share of entries among its ``g`` most probable.

    >>> from datetime import datetime
    >>> events = pl.DataFrame({"key": [1, 2] * 20, "time": [datetime(2026, 3, 2, 8, n) for n in range(40)]},
    ...                       schema_overrides=_EVENTS)
    >>> suitability(events).verdict
    'fit: 2 keys, all known after the first half of the log'
    """
    if events.is_empty():
        raise InputError("there are no events; parse a log first")
    ordered = check(events, _EVENTS, "events").with_row_index("_row")
    half = len(ordered) // 2
    known = ordered.head(half)["key"].unique().implode()
    later = ordered.slice(half).select(pl.col("key").is_in(known) & (pl.col("key") != 0))
    counted = _keys(ordered, sessions)
    once = counted.select(pl.col("entries") == 1)
    hours, growth, coverage = _hours(ordered, known, ranks, g), _growth(ordered), _share(later)
    return Suitability(growth, counted, _share(once), coverage, hours, _verdict(growth, coverage, hours))


def _share(told: pl.DataFrame) -> float:
    """The share of true values in the only column."""
    return float(told.to_series().cast(pl.Float64).to_numpy().mean())


def _growth(events: pl.DataFrame) -> pl.DataFrame:
    part = (pl.col("_row") * PARTS // pl.len()).alias("part")
    new = pl.col("key").is_first_distinct()
    counted = (
        events.select(part, new=new)
        .group_by("part", maintain_order=True)
        .agg(entries=pl.len(), keys=pl.col("new").sum())
    )
    return counted.with_columns(pl.col("entries", "keys").cum_sum())


def _keys(events: pl.DataFrame, sessions: pl.DataFrame | None) -> pl.DataFrame:
    entries = events.group_by("key", maintain_order=True).agg(entries=pl.len())
    if sessions is None:
        return entries.with_columns(sessions=pl.lit(None, pl.UInt32))
    named = check(sessions, SESSIONS, "sessions").group_by("key").agg(sessions=pl.col("session").n_unique())
    return entries.join(named, on="key", how="left", maintain_order="left")


def _hours(events: pl.DataFrame, known: pl.Series, ranks: pl.DataFrame | None, g: int) -> pl.DataFrame:
    hour = pl.col("time").dt.truncate("1h").alias("hour")
    strange = ~pl.col("key").is_in(known) | (pl.col("key") == 0)
    counted = events.group_by(hour, maintain_order=True).agg(entries=pl.len(), unseen=strange.mean())
    covered = _covered(ranks, hour, g)
    held = counted.join(covered, on="hour", how="left", maintain_order="left", nulls_equal=True)
    poor = (pl.col("covered") < COVERED).fill_null(False)
    return held.with_columns(retrain=(pl.col("unseen") > UNSEEN) | poor)


def _covered(ranks: pl.DataFrame | None, hour: pl.Expr, g: int) -> pl.DataFrame:
    if ranks is None:
        return pl.DataFrame(schema={"hour": TIME, "covered": pl.Float64})
    judged = check(ranks, RANKS | {"time": TIME}, "ranks").filter(
        pl.col("key").is_not_null(), pl.col("probability").is_not_null()
    )
    return judged.group_by(hour).agg(covered=(pl.col("rank") <= g).fill_null(False).mean())


def _verdict(growth: pl.DataFrame, coverage: float, hours: pl.DataFrame) -> str:
    total, before, bad = growth["keys"][-1], _keys_before(growth), len(hours.filter("retrain"))
    if (total - before) / total > GROWN:
        return f"not yet: {total - before} of {total} keys come in the second half only; train on a longer log"
    if bad:
        return f"retrain now and then: in {bad} of {len(hours)} hours too much is new to what the first half taught"
    if before == total:
        return f"fit: {total} keys, all known after the first half of the log"
    return (
        f"fit: {total} keys, {before} known after the first half of the log, which cover {coverage:.1%} of the second"
    )


def _keys_before(growth: pl.DataFrame) -> int:
    """How many keys the first half of the parts has."""
    counts = growth.filter(pl.col("part") < PARTS // 2)["keys"].to_list()
    return max(counts, default=0)
