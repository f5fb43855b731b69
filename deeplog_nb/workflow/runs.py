"""The runs of tasks that a log is cut into.

Where a run begins is told before; what is no task of its own is joined in ``joining``. The last run of a session that
the log cut off came to no end, and tells nothing of its task; but where the task is known by such runs alone, as that
of a file that is one loop, only the turn that was not finished is left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from deeplog_nb.sessions.windows import Ints
from deeplog_nb.workflow.entries import Entries, Mask
from deeplog_nb.workflow.kinds import Keys, types_of


@dataclass(frozen=True)
class Runs:
    """R runs in the order of the log, each with the type that it is of; types count from 0, the most frequent first."""

    begins: Ints  # [R] the entry that each begins with
    variants: tuple[Keys, ...]  # the distinct sequences of keys
    of_run: Ints  # [R] which of them each run is
    types: Ints  # [V] the type of each variant
    weights: Ints  # [R]

    @property
    def counts(self) -> Ints:
        """How often each variant occurs: [V]."""
        return np.bincount(self.of_run, self.weights, minlength=len(self.variants)).astype(np.int64)


def cut(entries: Entries, begins: Mask, heads: Ints | None = None) -> Runs:
    """The runs that begin there; ``heads`` tell the keys that each had before something was joined to it."""
    starts = np.flatnonzero(begins)
    numbers = pl.Series("run", np.cumsum(begins)).set_sorted()
    listed = pl.DataFrame([numbers, pl.Series("keys", entries.keys)]).group_by("run", maintain_order=True).agg("keys")
    distinct = listed.select(pl.col("keys").unique(maintain_order=True)).with_row_index("variant")
    of_run = listed.join(distinct, on="keys", how="left", maintain_order="left")["variant"].to_numpy().astype(np.int64)
    variants = tuple(map(tuple, distinct["keys"].to_list()))
    weights = _finished(entries, starts)
    counts = np.bincount(of_run, weights, minlength=len(variants))
    begun = [Counter[int]() for _ in variants]
    if heads is not None:
        told = pl.DataFrame({"variant": of_run, "head": heads, "count": weights}).group_by("variant", "head").sum()
        for variant, head, count in told.rows():
            begun[variant][head] = count
    return Runs(starts, variants, of_run, types_of(variants, counts.astype(int).tolist(), begun), weights)


def _finished(entries: Entries, starts: Ints) -> Ints:
    """How often each run came to its end: the last one of a session that the log cut off did not."""
    rows = entries.rows[starts]
    last = np.append(rows[1:] != rows[:-1], True)[: len(rows)]
    cut = np.broadcast_to(entries.open_counts, entries.counts.shape)[rows]
    found: Ints = entries.counts[rows] - cut * last
    return found


def with_turns(found: Runs, entries: Entries) -> Runs:
    """The same; of a type no run of which came to its end, the runs without the turn that the log cut off.

    A turn begins at the first key of a run that comes again in it. Where none does no turn was finished.

    >>> one = Entries(np.array([1, 2, 3, 2, 3, 2]), np.array([6]), np.array([1]), np.array([1]))
    >>> found = with_turns(cut(one, one.firsts), one)
    >>> found.variants, found.counts.tolist()
    (((1, 2, 3, 2, 3),), [1])
    """
    ended = np.bincount(found.types, found.counts)
    own = [_turns(keys) if not ended[kind] else () for keys, kind in zip(found.variants, found.types, strict=True)]
    turned = np.array([bool(keys) for keys in own], np.bool_)
    weights = np.where(turned[found.of_run], entries.counts[entries.rows[found.begins]], found.weights)
    variants = tuple(mine or keys for mine, keys in zip(own, found.variants, strict=True))
    turns = replace(found, variants=variants, weights=weights)
    rank = np.argsort(np.argsort(-np.bincount(turns.types, turns.counts), kind="stable"))
    return replace(turns, types=rank[turns.types])


def _turns(keys: Keys) -> Keys:
    """The finished turns of a run that goes on.

    >>> _turns((1, 2, 3, 1, 2)), _turns((1, 2, 3))
    ((1, 2, 3), ())
    """
    often = Counter(keys)
    again = next((key for key in keys if often[key] > 1), None)
    return () if again is None else keys[: len(keys) - 1 - keys[::-1].index(again)]


def key_sets(variants: tuple[Keys, ...]) -> Ints:
    """A number for the keys of each variant, whatever their order."""
    known: dict[frozenset[int], int] = {}
    return np.array([known.setdefault(frozenset(variant), len(known)) for variant in variants], np.int64)
