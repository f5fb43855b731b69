"""Judged rows of many sessions -> the same with patterns, and without the alarms that a person said are normal.

What the pattern of an alarm looks like is for ``verdicts.allowing`` to say. Here each alarm gets the keys around it
that the stream remembers, so that it can: the history before an entry, and at its end all keys of a session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from deeplog_nb.frames import VERDICTS
from deeplog_nb.stream.live import Keys
from deeplog_nb.stream.rows import Rows
from deeplog_nb.verdicts.learner import Learner

_ADDED = {"pattern": pl.String(), "session_pattern": pl.String()}


@dataclass(frozen=True)
class Context:
    """What stood before a row in its session; of a whole session also what was flagged."""

    keys: Sequence[int]
    flagged: Collection[int] = ()
    shapes: Sequence[str] = ()  # of key 0


def context(rows: Rows, at: int) -> Context:
    """What is remembered of the session of a row."""
    part, history = rows.of[at], rows.history(at)
    if part is None or rows.key[at] is not None:
        return Context(history if part else ())
    return Context([*_others(part.counts, history), *history], part.flagged, part.shapes)


def answered(learner: Learner, judged: pl.DataFrame, contexts: Mapping[int, Context]) -> pl.DataFrame:
    """The judged rows with their patterns; ``contexts`` are those of the alarms, by the row's number.

    A session's own pattern is known at its end: its entries have none.
    """
    if not contexts:
        nothing = [pl.lit(None, kind).alias(name) for name, kind in _ADDED.items()]
        return judged.with_columns_seq(*nothing, allowed=pl.lit(False))
    numbered = judged.with_row_index("_number", offset=1)
    odd = numbered.filter(pl.Series([at in contexts for at in range(len(judged))]))
    is_end = odd["key"].is_null()
    parts = [(odd.filter(~is_end), replace(learner, whole=False)), (odd.filter(is_end), learner)]
    told = [
        _behind(part, contexts).pipe(which.answered).filter(pl.col("_number") > 0) for part, which in parts if len(part)
    ]
    rest = numbered.filter(~pl.col("_number").is_in(odd["_number"].implode()))
    joined = pl.concat([rest, *told], how="diagonal").sort("_number").drop("_number")
    own = judged.select("session", "position")
    return joined.with_columns(*own.get_columns(), allowed=pl.col("allowed").fill_null(False))


def _behind(odd: pl.DataFrame, contexts: Mapping[int, Context]) -> pl.DataFrame:
    """The rows, each a session of its own behind the keys of its context."""
    number = pl.col("_number").cast(pl.String)
    alone = odd.with_columns(session=pl.when(pl.col("session").is_not_null()).then(number), _owner=pl.col("_number"))
    rows = [
        (row, at, key, key in found.flagged, next(shapes, None) if key == 0 else None)
        for row in odd["_number"].to_list()
        for found in [contexts[row - 1]]
        for shapes in [iter(found.shapes)]
        for at, key in enumerate(found.keys)
    ]
    kinds = {"_owner": pl.UInt32(), "position": pl.UInt32(), "key": pl.UInt32()}
    schema = kinds | {"unlikely": pl.Boolean(), "shape": pl.String()}
    before = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        session=pl.col("_owner").cast(pl.String), _number=pl.lit(0, pl.UInt32), anomalous="unlikely"
    )
    columns = [pl.lit(None, kind).alias(name) for name, kind in VERDICTS.items() if name not in before.columns]
    both = pl.concat([before.with_columns(columns), alone], how="diagonal")
    return both.sort("_owner", maintain_order=True).drop("_owner")


def _others(counts: Mapping[int, int], history: Keys) -> list[int]:
    """The keys of a session that are not among its last ones, as often as they came."""
    return [key for key, often in counts.items() for _ in range(often - history.count(key))]
