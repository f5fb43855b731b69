"""What fits no template, over time: a log that changes shows it here first. It judges no order of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from deeplog_nb.events.masks import HOLE, WILDCARD, shape
from deeplog_nb.frames import TIME, InputError, check

_NEEDED: Final = {"time": TIME, "message": pl.String(), "key": pl.UInt32()}


@dataclass(frozen=True)
class Unseen:
    """``over_time``: how much of each span was unseen; ``shapes``: what it looks like, the most frequent first."""

    over_time: pl.DataFrame  # time (null where the lines state none), lines, unseen, shapes (different ones)
    shapes: pl.DataFrame  # shape, count, first (time), example

    def __repr__(self) -> str:
        seen = self.over_time.sum()
        return f"Unseen({seen['unseen'].item():,} of {seen['lines'].item():,} lines in {len(self.shapes)} shapes)"


def unseen(events: pl.DataFrame, *, every: str = "1h") -> Unseen:
    """The EVENTS of key 0 by span of time, and by shape.

    >>> from datetime import datetime
    >>> events = pl.DataFrame({"time": [datetime(2026, 1, 1, hour) for hour in (8, 9, 9)],
    ...     "message": ["ok", "oops 1", "oops 2"], "key": [1, 0, 0]}, schema_overrides=_NEEDED)
    >>> unseen(events).over_time
    shape: (2, 4)
    ┌─────────────────────┬───────┬────────┬────────┐
    │ time                ┆ lines ┆ unseen ┆ shapes │
    │ ---                 ┆ ---   ┆ ---    ┆ ---    │
    │ datetime[μs]        ┆ u64   ┆ u64    ┆ u64    │
    ╞═════════════════════╪═══════╪════════╪════════╡
    │ 2026-01-01 08:00:00 ┆ 1     ┆ 0      ┆ 0      │
    │ 2026-01-01 09:00:00 ┆ 2     ┆ 2      ┆ 1      │
    └─────────────────────┴───────┴────────┴────────┘
    """
    text = shape(pl.col("message")).str.replace_all(HOLE, WILDCARD, literal=True)
    strange = check(events, _NEEDED, "events").select(
        "time", "message", span=_span(every), shape=pl.when(pl.col("key") == 0).then(text)
    )
    return Unseen(_over_time(strange, every), _shapes(strange))


def _span(every: str) -> pl.Expr:
    """The beginning of each time's span."""
    moment = pl.lit(datetime(1970, 1, 2), TIME)
    said = f"every is {every!r}; give a span of time as 5m, 1h or 1d"
    try:
        longer = pl.select(moment.dt.truncate(every), longer=moment.dt.offset_by(every) > moment)["longer"].item()
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{said} ({error})") from error
    if not longer:
        raise InputError(f"{said}, longer than nothing")
    return pl.col("time").dt.truncate(every)


def _over_time(strange: pl.DataFrame, every: str) -> pl.DataFrame:
    counted = strange.group_by(time="span").agg(
        lines=pl.len().cast(pl.UInt64),
        unseen=pl.col("shape").count().cast(pl.UInt64),
        shapes=pl.col("shape").drop_nulls().n_unique().cast(pl.UInt64),
    )
    return counted.sort("time", nulls_last=True)


def _shapes(strange: pl.DataFrame) -> pl.DataFrame:
    return (
        strange.filter(pl.col("shape").is_not_null())
        .group_by("shape", maintain_order=True)
        .agg(count=pl.len().cast(pl.UInt64), first=pl.col("time").min(), example=pl.col("message").first())
        .sort("count", descending=True, maintain_order=True)
    )
