"""Entries one after the other -> the sessions that they belong to, as ``sessionize`` would cut the whole log.

What is kept of a session that is over is how often its id has begun, of so many ids; then it is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deeplog_nb.frames import ModelError
from deeplog_nb.stream.live import Live
from deeplog_nb.stream.rows import Rows

REMEMBERED: Final = 500_000  # ids of sessions that are over; an older one that comes back is taken for a new one
Place = tuple[str, int, int | None]  # file, line and time in microseconds


@dataclass(slots=True)
class Sessions:
    """The sessions that are not over, the one that was silent for the longest first."""

    history: int  # keys that are looked back on
    silence: int | None  # microseconds; None: no session ends by silence
    most: int | None  # entries of a part; None: any number
    counted: bool  # whether to count keys
    live: OrderedDict[str, Live] = field(default_factory=OrderedDict)
    over: OrderedDict[str, int] = field(default_factory=OrderedDict)  # id -> how often it has begun
    begun: int = 0
    mark: str = "#"
    touched: set[str] = field(default_factory=set)  # ids whose state has changed since that was last asked

    def add(self, rows: Rows, ids: Sequence[str], clock: int, key: int, place: Place, entry: int) -> None:
        """Add the rows of a record that joins these sessions, and the ends of those that it shows to be over."""
        parts = [self._part(rows, name, clock) for name in ids]
        if len(parts) > 1:  # a tie: in the order in which the sessions began, as in the frame of a whole log
            parts.sort(key=lambda part: part.serial)
        for part in parts:
            self._entry(rows, part, clock, key, place, entry)

    def known(self, name: str) -> dict[str, Any] | None:
        """What must be stored of this id; None if it is forgotten."""
        if name in self.live:
            return self.live[name].facts()
        return {"part": self.over[name]} if name in self.over else None

    def restore(self, stored: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what was stored of these ids."""
        self.over.update((name, int(facts["part"])) for name, facts in stored.items() if len(facts) == 1)
        parts = [Live.of(name, facts) for name, facts in stored.items() if len(facts) > 1]
        self.live.update((part.id, part) for part in sorted(parts, key=lambda part: (part.clock, part.serial)))
        self.look_back(self.history)

    def forget_values(self) -> None:
        """Drop what was told of values: another model's vectors are others."""
        for part in self.live.values():
            if part.past:
                part.past = {}
                self.touched.add(part.id)

    def look_back(self, history: int) -> None:
        """Look back on so many keys from now on; refuses to where they are not all known."""
        for part in self.live.values():
            if len(part.history) < min(part.length, history):
                raise ModelError(
                    f"session {part.id!r} is known by its last {len(part.history)} keys, and this detector looks back "
                    f"on {history}; begin a stream of its own with it"
                )
            part.history = part.history[-history:]
        self.history = history

    def expire(self, rows: Rows, now: int) -> None:
        """Add the ends of all sessions that have been silent for too long."""
        live, silence = self.live, self.silence
        while silence is not None and live:
            oldest = next(iter(live.values()))
            if oldest.clock > now:  # the clock ran back: what was heard later than now is heard now
                oldest.clock = now
                live.move_to_end(oldest.id)
            elif now - oldest.clock > silence:
                self.end(rows, oldest, is_open=False)
            else:
                return

    def heard(self, now: int) -> None:
        """Take all sessions to have been heard of now."""
        for part in self.live.values():
            part.clock = now
            self.touched.add(part.id)

    def end(self, rows: Rows, part: Live, *, is_open: bool) -> None:
        """Add the end row of a session, which is dropped."""
        del self.live[part.id]
        self.over[part.id] = part.part
        self.touched.add(part.id)
        if len(self.over) > REMEMBERED:
            self.touched.add(self.over.popitem(last=False)[0])
        place = part.file, part.line, part.time
        rows.add(self._name(part), part.length, None, part.history, place, is_open=is_open, of=part)

    def _part(self, rows: Rows, name: str, clock: int) -> Live:
        """The session that a record of this id joins; the one before is ended if it is over now."""
        found = self.live.get(name)
        if found is not None:
            quiet = self.silence is not None and clock - found.clock > self.silence
            if not quiet and found.length != self.most:
                return found
            self.end(rows, found, is_open=not quiet)
        while self.mark in name:
            self.mark += "#"
        fresh = self.live[name] = Live(name, self.over.pop(name, 0) + 1, self.begun)
        self.begun += 1
        return fresh

    def _entry(self, rows: Rows, part: Live, clock: int, key: int, place: Place, entry: int) -> None:
        position, time, elapsed = part.length, place[2], None
        if position and time is not None and part.time is not None:
            elapsed = (
                max(time - part.time, 0) * 1e-6
            )  # 0 where the clock ran back; not / 1e6: to the last digit as polars
        seen = (*part.history, key)
        rows.add(self._name(part), position, key, seen, place, entry=entry, elapsed=elapsed, of=part)
        part.history = seen if len(seen) <= self.history else seen[1:]
        if self.counted:
            part.counts[key] = part.counts.get(key, 0) + 1
        part.length, part.clock = position + 1, clock
        part.file, part.line, part.time = place
        self.live.move_to_end(part.id)
        self.touched.add(part.id)

    def _name(self, part: Live) -> str:
        return part.id if part.part == 1 else f"{part.id}{self.mark}{part.part}"
