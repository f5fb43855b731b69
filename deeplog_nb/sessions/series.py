"""SESSIONS -> one multivariate time series for each key: its elapsed times and numeric parameters as arrays.

The second place where frames become arrays, after ``windows``. A series is all entries of one key that follow the
same key (or, as in the paper, all entries of one key), in the order of the log or within each session.

Axes: M entries, D positions (0 = elapsed, then the key's numeric parameters), h history.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import PARAMETERS, SESSIONS, InputError, check
from deeplog_nb.sessions.quantities import amount

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ELAPSED: Final = "elapsed"
START: Final = 0  # stands for the key before a session's first entry
HUGE: Final = 1e100  # what is larger, or infinite, counts as this: it is judged, and its square is still a number
ANY: Final = -1  # stands for whatever key comes before


@dataclass(frozen=True)
class Layout:
    """Which numeric parameter stands at which position of each key's vector."""

    slots: pl.DataFrame  # key, slot (1…), at, name, unit
    size: int  # D

    def names(self, keys: pl.Series, slots: Ints) -> pl.DataFrame:
        """``worst, unit``: what these positions of these keys are called, and in which unit they are."""
        asked = pl.DataFrame({"key": keys, "slot": slots}, schema={"key": pl.UInt32, "slot": pl.Int64})
        found = asked.join(self.slots, on=["key", "slot"], how="left", maintain_order="left")
        is_time = pl.col("slot") == 0
        return found.select(
            worst=pl.when(is_time).then(pl.lit(ELAPSED)).otherwise("name"),
            unit=pl.when(is_time).then(pl.lit("s")).otherwise("unit"),
        )


@dataclass(frozen=True)
class Vectors:
    """Every entry's vector, in the original units, and the key that it belongs to and follows."""

    values: Floats  # [M, D] within ±HUGE; NaN where the position is null or the key has none
    keys: Ints  # [M]
    before: Ints  # [M]; START for a session's first entry
    order: Ints  # [M] the entries in the order of the log
    session: Ints  # [M] number of the session

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """Whether an entry has any number at all: [M]."""
        return np.asarray(np.isfinite(self.values).any(axis=1))


@dataclass(frozen=True)
class Groups:
    """Numbered sorts of entries: those of one key that follow one key; ``ANY`` key before stands for all the others.

    >>> both = Groups(np.array([4, 4]), np.array([ANY, 2]))
    >>> both.numbers(np.array([4, 4, 5]), np.array([2, 9, 2])).tolist()
    [1, 0, -1]
    """

    keys: Ints  # [G]
    before: Ints  # [G]

    @classmethod
    def of(cls, keys: Ints, before: Ints) -> Groups:
        """The sorts that these entries are of, each once, in rising order."""
        found = np.unique(np.stack([keys, before], axis=1), axis=0).reshape(-1, 2)
        return cls(found[:, 0], found[:, 1])

    def numbers(self, keys: Ints, before: Ints) -> Ints:
        """The number of each entry's sort, [M]; -1 where it is of none."""
        exact = self.find(keys, before)
        return np.where(exact >= 0, exact, self.find(keys, np.full_like(keys, ANY)))

    @property
    def loose(self) -> Groups:
        """The same keys, each with any key before it."""
        keys = np.unique(self.keys)
        return Groups(keys, np.full_like(keys, ANY))

    def kept(self, wanted: npt.NDArray[np.bool_]) -> Groups:
        """Some of these sorts, numbered anew."""
        return Groups(self.keys[wanted], self.before[wanted])

    def __add__(self, other: Groups) -> Groups:
        return Groups(np.concatenate([self.keys, other.keys]), np.concatenate([self.before, other.before]))

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, keys: Ints, before: Ints) -> Ints:
        """The number of exactly this sort, [M]; -1 where it is none of these."""
        order, known = self._rising
        asked = _packed(keys, before)
        if not len(known):
            return np.full(len(asked), -1)
        at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.where(known[at] == asked, order[at], -1)

    @cached_property
    def _rising(self) -> tuple[Ints, Ints]:
        """The groups' numbers in the order of their packed keys, and these."""
        packed = _packed(self.keys, self.before)
        order = np.argsort(packed, kind="stable")
        return order, packed[order]


def _packed(keys: Ints, before: Ints) -> Ints:
    """Both keys, which are 32-bit numbers, in one; ANY becomes a number that no key has."""
    return (keys << 31) | np.where(before == ANY, (1 << 31) - 1, before)


def layout(parameters: pl.DataFrame) -> Layout:
    """The numeric positions of each key, numbered from 1 in the order of the message."""
    numeric = check(parameters, PARAMETERS, "parameters").filter(pl.col("kind") == "numeric").sort("key", "at")
    slots = numeric.select(
        "key", (pl.int_range(pl.len()).over("key") + 1).cast(pl.Int64).alias("slot"), "at", "name", "unit"
    )
    return Layout(slots, 1 + int(slots["slot"].max() or 0))  # type: ignore[arg-type]


def vectors(sessions: pl.DataFrame, layout: Layout) -> Vectors:
    """The vectors of these sessions.

    >>> sessions = pl.DataFrame({"session": ["a", "a"], "position": [0, 1], "key": [5, 7], "count": [1, 1],
    ...     "open": [False] * 2, "elapsed": [None, 3.5], "parameters": [[], ["x", "40 MB"]]},
    ...     schema_overrides={c: pl.UInt32 for c in ("position", "key", "count")})
    >>> slots = pl.DataFrame({"key": [7], "slot": [1], "at": [1], "name": ["used"], "unit": ["MB"]},
    ...     schema_overrides={"key": pl.UInt32, "at": pl.UInt16})
    >>> found = vectors(sessions, Layout(slots, 2))
    >>> found.values.tolist(), found.before.tolist()
    ([[nan, nan], [3.5, 40.0]], [0, 5])
    """
    rows = check(sessions, SESSIONS, "sessions").with_row_index("_row")
    if layout.size > 1 and "parameters" not in rows.columns:
        raise InputError("these sessions carry no parameters; parse the lines with parameters=True")
    columns = [pl.col("elapsed") if "elapsed" in rows.columns else pl.lit(None, pl.Float64)]
    for slot in range(1, layout.size):
        own = layout.slots.filter(pl.col("slot") == slot).select("key", pl.col("at").alias(f"_at{slot}"), _unit="unit")
        rows = rows.join(own.rename({"_unit": f"_unit{slot}"}), on="key", how="left", maintain_order="left")
        text = pl.col("parameters").list.get(pl.col(f"_at{slot}"), null_on_oob=True)
        told = pl.when(pl.col(f"_at{slot}").is_not_null()).then(text)
        columns.append(amount(told, pl.col(f"_unit{slot}").fill_null("")))
    arrays = rows.select(column.cast(pl.Float64).fill_null(np.nan).alias(f"{at}") for at, column in enumerate(columns))
    facts = rows.select(
        pl.col("key").cast(pl.Int64),
        before=pl.col("key").shift(1, fill_value=START).over("session").cast(pl.Int64),
        session=pl.col("session").rle_id().cast(pl.Int64),
    )
    told_order = rows.sort(_log_order(rows), maintain_order=True)
    return Vectors(
        arrays.to_numpy().astype(np.float64).reshape(len(rows), layout.size).clip(-HUGE, HUGE),
        facts["key"].to_numpy(),
        facts["before"].to_numpy(),
        told_order["_row"].to_numpy().astype(np.int64),
        facts["session"].to_numpy(),
    )


def _log_order(rows: pl.DataFrame) -> list[pl.Expr]:
    """What sorts entries as the log has them: by time, and where two have the same one, by their lines.

    An entry without a time stays below the one above it in its file, as in ``sessionize``.
    """
    several = "file" in rows.columns and rows["file"].n_unique() > 1
    place = [pl.col("file")] * several + [pl.col("line")] * ("line" in rows.columns)
    if "time" not in rows.columns or rows["time"].null_count() == len(rows):
        return place or [pl.col("_row")]
    if not place or not rows["time"].has_nulls():
        return [pl.col("time"), *place]
    return [pl.col("time").forward_fill().backward_fill().over(*place[:-1] or [pl.lit(0)], order_by="line"), *place]


def runs(vectors: Vectors, series: Ints, over: Literal["log", "session"]) -> tuple[Ints, Ints]:
    """The entries that belong to a series, each series' own end to end, and where each one's run began.

    A run is what one history may hold: the series over the whole log, or its part in one session. ``series`` is
    each entry's number [M], -1 for none. Returns the entries [P] and, for each place, the first place of its run [P].
    """
    kept = vectors.order[series[vectors.order] >= 0]
    of_session = vectors.session[kept] if over == "session" else np.zeros(len(kept), np.int64)
    entries = kept[np.lexsort((of_session, series[kept]))]  # a stable sort: the log's order stays
    group = np.stack([series[entries], vectors.session[entries] if over == "session" else np.zeros_like(entries)])
    new = np.ones(len(entries), np.bool_)
    new[1:] = (group[:, 1:] != group[:, :-1]).any(axis=0)
    places = np.arange(len(entries))
    return entries, np.maximum.accumulate(np.where(new, places, 0))


def resolutions(vectors: Vectors, keys: Ints) -> Floats:
    """The smallest step between two values of each position of these keys, [G, D]: what the log can tell apart.

    Waits of all keys are told by one clock. 1 where nothing is told apart.
    """
    clock, asked = _resolution(vectors.values[:, 0]), Groups.of(keys, np.full_like(keys, ANY))
    rows = [
        [clock, *(_resolution(column) for column in vectors.values[mine, 1:].T)]
        for mine in members(asked.numbers(vectors.keys, vectors.keys), len(asked))
    ]
    told = np.array(rows, dtype=np.float64).reshape(len(asked), vectors.values.shape[1])
    return told[asked.numbers(keys, keys)]


def members(numbers: Ints, count: int) -> list[Ints]:
    """Where each of the numbers 0 … count - 1 stands, in rising order; sorted once, however many there are.

    >>> [at.tolist() for at in members(np.array([2, 0, -1, 2]), 3)]
    [[1], [], [0, 3]]
    """
    order = np.argsort(numbers, kind="stable")
    edges = np.searchsorted(numbers[order], np.arange(count + 1))
    return [order[start:end] for start, end in pairwise(edges.tolist())]


def _resolution(values: Floats) -> float:
    different = np.unique(np.round(values[np.isfinite(values)], 6))
    return float(np.diff(different).min()) if len(different) > 1 else 1.0
