"""Whether the tasks can produce a session, and where they first cannot: the automata as a detector.

Workflows detect less than the models that they are made from: no number of turns, no dependency between tasks but which
follows which (paper, 4.1). They are here to compare, and to see what they explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from deeplog_nb.frames import SESSIONS
from deeplog_nb.sessions.windows import sequences
from deeplog_nb.workflow.replay import START, Here, Tasks

States = frozenset[Here]


@dataclass
class Conformance:
    """Reads sessions against the tasks; the states that they lead to are worked out once."""

    tasks: Tasks
    _moves: dict[tuple[States, int], States] = field(default_factory=dict)

    def check(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """``session, count, fits, position, key``: where it first does not fit, and the key there.

        The position is the session's length, and the key null, where it may not end yet.
        """
        distinct = sequences(sessions)
        bounds = distinct.lengths.cumsum().tolist()
        listed = [distinct.keys[end - size : end].tolist() for end, size in zip(bounds, distinct.lengths, strict=True)]
        wrong = pl.Series("wrong", [self.reject(keys) for keys in listed], dtype=pl.UInt32)
        found = pl.DataFrame({"sequence": range(len(listed)), "size": distinct.lengths}).with_columns(wrong)
        facts = sessions.group_by("session", maintain_order=True).agg(pl.col("count", "open").first(), pl.col("key"))
        stuck = (pl.col("wrong") < pl.col("size")) | ~pl.col("open")  # an open session may end anywhere
        return (
            facts.join(distinct.of_session, on="session", maintain_order="left")
            .join(found, on="sequence", maintain_order="left")
            .with_columns(position=pl.when(stuck).then("wrong"))
            .select(
                "session",
                "count",
                fits=pl.col("position").is_null(),
                position="position",
                key=pl.col("key").list.get(pl.col("position"), null_on_oob=True).cast(SESSIONS["key"]),
            )
        )

    def reject(self, keys: Sequence[int]) -> int | None:
        """Index of the first key that no task allows there; the length if more had to come; else none."""
        states: States = frozenset({START})
        for index, key in enumerate(keys):
            states = self._move(states, key)
            if not states:
                return index
        return None if any(map(self.tasks.ended, states)) else len(keys)

    def _move(self, states: States, key: int) -> States:
        if key in self.tasks.background:
            return states
        if (states, key) not in self._moves:
            self._moves[states, key] = frozenset(
                placed.here for here in states for _, placed in self.tasks.allowed(here, key)
            )
        return self._moves[states, key]
