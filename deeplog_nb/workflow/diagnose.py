"""Alarms -> DIAGNOSES: where in which task each one is, what should have come, and one sentence for a person.

Whether something is an alarm was judged before, by models that know more than workflows do (paper, 4.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from deeplog_nb.frames import DIAGNOSES, RULES, VERDICTS, InputError, check
from deeplog_nb.workflow.kinds import Keys
from deeplog_nb.workflow.located import Located
from deeplog_nb.workflow.replay import Here, Placed
from deeplog_nb.workflow.sentences import Facts, Misfit, sentence
from deeplog_nb.workflow.texts import Texts

NEAR: Final = 400  # entries before an alarm that are looked at: more than any task has
MOST: Final = 5  # expected keys that are told
LONGEST: Final = 500  # characters that are told of a message
WHOLE: Final = ("counts", "short")  # rules on the session, not on its last entry
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Session:
    """The entries of one session, column by column: whole files may be one."""

    keys: Keys
    times: Sequence[datetime | None]
    shapes: Sequence[str | None]

    @classmethod
    def of(cls, part: pl.DataFrame) -> _Session:
        entries = part.filter(pl.col("key").is_not_null()).sort("position")
        if entries["position"].is_duplicated().any():
            raise InputError(f"verdicts: session {part['session'][0]} has rows twice; give each that judge() made once")
        if not entries["position"].equals(pl.Series("position", range(len(entries)), pl.UInt32)):
            raise InputError(
                f"verdicts: session {part['session'][0]} has only some of its rows; give all that judge() made of it"
            )
        nothing = [None] * len(entries)
        times, shapes = (entries[name].to_list() if name in part.columns else nothing for name in ("time", "shape"))
        return cls(tuple(entries["key"].to_list()), times, shapes)

    def until(self, place: int) -> _Session:
        """The entries up to this one, those far before it left out."""
        part = slice(max(0, place - NEAR), place + 1)
        return _Session(self.keys[part], self.times[part], self.shapes[part])


@dataclass(frozen=True)
class Doctor:
    """What a diagnosis needs: where a place of a session is, and what the keys say."""

    located: Located
    texts: Texts | None

    def diagnose(self, verdicts: pl.DataFrame) -> pl.DataFrame:
        """DIAGNOSES of the anomalous rows that are in a session, in the order of the verdicts."""
        inside = check(verdicts, VERDICTS, "verdicts").filter(pl.col("session").is_not_null())
        ill = inside.filter(pl.col("anomalous").any().over("session"))
        rows = [
            self._alarm(row, session)
            for part in ill.partition_by("session", maintain_order=True)
            for session in [_Session.of(part)]
            for row in part.filter("anomalous").sort("position", nulls_last=True).to_dicts()
        ]
        return check(pl.DataFrame(rows, schema=DIAGNOSES, orient="row"), DIAGNOSES, "diagnoses")

    def _alarm(self, row: Row, session: _Session) -> dict[str, Any]:
        """One alarm; where a rule judges the session as a whole, its first entry that no task allows."""
        rule = next(rule for rule in RULES if row[rule])
        place = len(session.keys) if row["position"] is None else int(row["position"])
        if rule in WHOLE and place == len(session.keys):
            place = self.located.first_misfit(session.keys)
        then = session.keys[place + 1] if place + 1 < len(session.keys) else None
        near, place = session.until(place), min(place, NEAR)
        facts, here = self._facts(rule, row["why"], near, place, then)
        likely = [(key, chance) for key, chance in facts.expected[:MOST] if key is not None]
        edge = facts.edge
        return {
            "session": row["session"],
            "position": row["position"],
            "task": here.task if here.task and not facts.nearest else None,
            "last_good": self.located.last(near.keys[:place])[0],
            "expected": [key for key, _ in likely],
            "seen": facts.seen,
            "elapsed": edge.elapsed if edge else None,
            "usual": edge.usual if edge else None,
            "sentence": sentence(facts, self.texts),
            "rule": rule,
            "probabilities": [chance for _, chance in likely],
            "late": edge.late if edge else None,
            "slow": [facts.slow.source, facts.slow.target] if facts.slow else None,
            "slow_elapsed": facts.slow.elapsed if facts.slow else None,
            "text": facts.shape and facts.shape.strip()[:LONGEST],
        }

    def _facts(self, rule: str, why: str, near: _Session, place: int, then: int | None) -> tuple[Facts, Here]:
        """What is known of the entry at this place, the last of the keys, or of the end behind them."""
        located, keys, times = self.located, near.keys, near.times
        before = located.here(keys[:place])
        came = place < len(keys)
        placed = located.replay(keys)[place] if came else None
        facts = Facts(
            rule,
            why,
            located.last(keys[:place])[1],
            keys[place] if came else None,
            near.shapes[place] if came else None,
            located.expected(before),
            located.edge(keys, place, times),
            located.slowest(keys, times) if rule in ("timing", "value") else None,
            self._misfit(placed, before, keys[place]) if came else Misfit(),
            located.nearest(keys),
            then,
        )
        return facts, placed.here if placed and placed.fits else before

    def _misfit(self, placed: Placed | None, before: Here, key: int) -> Misfit:
        """What is wrong with the key that came."""
        if placed is None:
            return Misfit(background=True)
        if placed.fits:
            return Misfit(allowed=True)
        tasks = self.located.tasks.tasks
        own = tasks[before.task - 1] if before.task else None
        if own and placed.step and placed.here.task == before.task:
            missing = sorted(placed.here.done - before.done - {placed.step})
            return Misfit(missing=tuple(own.keys[step - 1] for step in missing))
        if own and any(step in before.done for step in own.steps_of.get(key, ())):
            return Misfit(again=True)
        if placed.begins and not tasks[placed.here.task - 1].forerunners[placed.step]:
            return Misfit(begins=placed.here.task)
        return Misfit(behind=self._forerunner(key))

    def _forerunner(self, key: int) -> int | None:
        """The key that this one usually comes behind, in the first task that has it."""
        for task in self.located.tasks.tasks:
            for step in task.steps_of.get(key, ()):
                last = task.order.last(task.forerunners[step])
                if last:
                    return task.keys[min(last) - 1]
        return None
