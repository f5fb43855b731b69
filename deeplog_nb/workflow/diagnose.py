"""Alarms -> DIAGNOSES: where in which task each one is, what should have come, and one sentence for a person.

Whether something is an alarm was judged before, by models that know more than workflows do (paper, 4.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from deeplog_nb.frames import DIAGNOSES, RULES, VERDICTS, InputError, check
from deeplog_nb.workflow.replay import START, Here, Placed, Tasks
from deeplog_nb.workflow.sentences import Expected, Facts, sentence
from deeplog_nb.workflow.texts import Texts

MOST: Final = 5  # expected keys that are told
EXTRA: Final = {
    "rule": pl.String(),  # the first that fired
    "probabilities": pl.List(pl.Float32),  # of the expected keys
    "late": pl.Float64(),  # s, 99 of 100 take no longer
    "slow": pl.List(
        pl.UInt32
    ),  # for time and value: the two keys of the slowest edge of the run so far, if it was late
}
TICK: Final = 0.01  # s: no range of waits is taken for narrower
Slow = tuple[int, int, float, float]  # both keys of an edge, its seconds, its usual seconds
Waits = Mapping[tuple[int, int, int], tuple[float | None, float | None]]  # task, source, target: median, 99 %


@dataclass
class Doctor:
    """What a diagnosis needs: the tasks, the waits of their edges, and what the keys say."""

    tasks: Tasks
    waits: Waits
    texts: Texts | None
    _replayed: dict[tuple[int, ...], list[Placed | None]] = field(default_factory=dict)

    def diagnose(self, verdicts: pl.DataFrame) -> pl.DataFrame:
        """DIAGNOSES of the anomalous rows that are in a session."""
        ill = check(verdicts, VERDICTS, "verdicts").filter(pl.col("session").is_not_null())
        names = ill.filter("anomalous").select("session").unique(maintain_order=True)
        own = ill.join(names, on="session", how="semi").sort("session", "position", maintain_order=True)
        rows = [
            row for part in own.partition_by("session", maintain_order=True) for row in self._session(part.to_dicts())
        ]
        found = pl.DataFrame(rows, schema=DIAGNOSES | EXTRA, orient="row")
        return check(names.join(found, on="session", maintain_order="left_right"), DIAGNOSES, "diagnoses").select(
            *DIAGNOSES, *EXTRA
        )

    def _session(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        entries = [row for row in rows if row["key"] is not None]
        keys = tuple(row["key"] for row in entries)
        if [row["position"] for row in entries] != list(range(len(keys))):
            raise InputError(
                f"verdicts: session {rows[0]['session']} has only some of its rows; give all that judge() made of it"
            )
        return [self._alarm(row, keys, entries) for row in rows if row["anomalous"]]

    def _alarm(
        self, row: Mapping[str, Any], keys: tuple[int, ...], entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """One alarm; where a rule judges the session as a whole, its first entry that no task allows."""
        rule = next(rule for rule in RULES if row[rule])
        place = len(keys) if row["position"] is None else int(row["position"])
        if rule in ("counts", "short") and place == len(keys):
            place = self._first_misfit(keys)
        at = entries[place] if place < len(keys) else row
        before = self._here(keys[:place])
        last = self._last(keys[:place])
        expected = self.expected(before)
        placed = self._replay(keys[: place + 1])[-1] if place < len(keys) else None
        source, elapsed = self._edge(placed, keys[: place + 1], place, entries)
        usual, late = (
            self.waits.get((placed.here.task, source[0], placed.step), (None, None)) if placed else (None, None)
        )
        slow = self._slowest(keys[: place + 1], entries) if rule in ("timing", "value") else None
        facts = Facts(
            rule,
            row["why"],
            last[1],
            keys[place] if place < len(keys) else None,
            at.get("shape"),
            expected,
            elapsed=elapsed,
            usual=usual,
            late=late,
            source=source[1],
            slow=slow if slow and slow[:2] != (source[1], at["key"]) else None,
            **self._misfit(placed, before, keys[place : place + 1]),
        )
        return {
            "session": row["session"],
            "position": row["position"],
            "task": (placed.here.task if placed and placed.fits else before.task) or None,
            "last_good": last[0],
            "expected": [key for key, _ in expected[:MOST] if key is not None],
            "seen": facts.seen,
            "elapsed": elapsed,
            "usual": usual,
            "sentence": sentence(facts, self.texts),
            "rule": rule,
            "probabilities": [chance for key, chance in expected[:MOST] if key is not None],
            "late": late,
            "slow": slow[:2] if slow else None,
        }

    def expected(self, here: Here) -> Expected:
        """The keys that may come here, and how probable each is; the end of the session among them."""
        chances: dict[int | None, float] = {}
        ending = 1.0
        if here.task:
            task = self.tasks.tasks[here.task - 1]
            steps = task.next_steps(here.done)
            ending = steps.pop(0, 0.0)
            for step, share in steps.items():
                key = task.keys[step - 1]
                chances[key] = chances.get(key, 0.0) + share
        for (own, other), share in self.tasks.following.items():
            if own == here.task and ending:
                for key, chance in self._begins(other):
                    chances[key] = chances.get(key, 0.0) + ending * share * chance
        total = sum(chances.values())
        return sorted(((key, chance / total) for key, chance in chances.items()), key=lambda each: -each[1])

    def _begins(self, number: int) -> list[tuple[int | None, float]]:
        if not number:
            return [(None, 1.0)]
        task = self.tasks.tasks[number - 1]
        steps = task.next_steps(START.done)
        total = sum(steps.values())
        return [(task.keys[step - 1], share / total) for step, share in steps.items() if step]

    def _replay(self, keys: tuple[int, ...]) -> list[Placed | None]:
        if keys not in self._replayed:
            self._replayed[keys] = self.tasks.replay(keys)
        return self._replayed[keys]

    def _here(self, keys: tuple[int, ...]) -> Here:
        return next((placed.here for placed in reversed(self._replay(keys)) if placed), START)

    def _last(self, keys: tuple[int, ...]) -> tuple[int, int | None]:
        """Step and key of the last entry that is one of a task's."""
        pairs = zip(reversed(self._replay(keys)), reversed(keys), strict=True)
        return next(((placed.step, key) for placed, key in pairs if placed and placed.step), (0, None))

    def _first_misfit(self, keys: tuple[int, ...]) -> int:
        return next((at for at, placed in enumerate(self._replay(keys)) if placed and not placed.fits), len(keys))

    def _edge(
        self, placed: Placed | None, keys: tuple[int, ...], place: int, entries: Sequence[Mapping[str, Any]]
    ) -> tuple[tuple[int, int | None], float | None]:
        """The step and key that an entry's edge comes from, of several the latest one, and how long it took."""
        if placed is None or not placed.sources:
            return (0, None), None
        ways = self._replay(keys)[:place]
        at = next((i for i in range(place - 1, -1, -1) if (way := ways[i]) and way.step in placed.sources), None)
        if at is None:
            return (0, None), None
        ends = entries[at].get("time"), entries[place].get("time")
        elapsed = None if None in ends else (ends[1] - ends[0]).total_seconds()
        return (ways[at].step, keys[at]), elapsed  # type: ignore[union-attr]

    def _slowest(self, keys: tuple[int, ...], entries: Sequence[Mapping[str, Any]]) -> Slow | None:
        """Of the edges of this run of a task so far, the one that is furthest over its usual range."""
        found: list[tuple[float, Slow]] = []
        for place in range(len(keys) - 1, -1, -1):
            placed = self._replay(keys)[place]
            (source, key), elapsed = self._edge(placed, keys, place, entries)
            if placed and placed.step and key is not None and elapsed is not None:
                usual, late = self.waits.get((placed.here.task, source, placed.step), (None, None))
                if usual is not None and late and elapsed > late:
                    found.append(((elapsed - usual) / max(late - usual, TICK), (key, keys[place], elapsed, usual)))
            if placed and placed.begins:
                break
        return max(found)[1] if found else None

    def _misfit(self, placed: Placed | None, before: Here, key: tuple[int, ...]) -> dict[str, Any]:
        """What an entry that came does not fit."""
        if placed is None:
            return {}
        if placed.fits:
            return {"allowed": True}
        own = self.tasks.tasks[before.task - 1] if before.task else None
        if placed.step and own and placed.here.task == before.task:
            missing = sorted(placed.here.done - before.done - {placed.step})
            return {"missing": [own.keys[step - 1] for step in missing]}
        if own and any(step in before.done for step in own.steps_of.get(key[0], ())):
            return {"again": True}
        if placed.begins and not self.tasks.tasks[placed.here.task - 1].forerunners[placed.step]:
            return {"begins": placed.here.task}
        return {"behind": self._forerunner(key[0])}

    def _forerunner(self, key: int) -> int | None:
        """The key that this one usually comes behind, in the first task that has it."""
        for task in self.tasks.tasks:
            for step in task.steps_of.get(key, ()):
                last = task.order.last(task.forerunners[step])
                if last:
                    return task.keys[min(last) - 1]
        return None
