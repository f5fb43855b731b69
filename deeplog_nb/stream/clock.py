"""What time it is in a log that is read as it comes: the log's own, never the wall's.

A record without a time stands at the one above it in its file. Until the stream's first time the clock is its
lines, one a second; when that time comes, all that was heard before it is taken to have been heard then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

SECOND: Final = 1_000_000  # microseconds


@dataclass(slots=True)
class Clock:
    """The time of the record that was read last.

    >>> clock = Clock()
    >>> [clock.tell("a", time) for time in (None, None, 5_000_000, None)], clock.timed
    ([0, 1000000, 5000000, 5000000], True)
    """

    now: int = 0  # microseconds
    lines: int = 0  # records read so far
    timed: bool = False  # whether any of them had a time
    above: dict[str, int] = field(default_factory=dict)  # last time of each file

    def tell(self, file: str, time: int | None) -> int:
        """The time of this record, which is the next one."""
        if time is not None:
            self.now = self.above[file] = time
            self.timed = True
        elif self.timed:
            self.now = self.above.get(file, self.now)
        else:
            self.now = self.lines * SECOND
        self.lines += 1
        return self.now

    def facts(self) -> dict[str, Any]:
        """What :meth:`of` takes to go on from here."""
        return {"now": self.now, "lines": self.lines, "timed": self.timed, "above": self.above}
