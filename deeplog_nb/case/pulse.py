"""What a tail is doing right now, in a few numbers and texts: for a panel, a command line, a curious person."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from deeplog_nb.case.store import Totals
from deeplog_nb.views.text import visible

SPAN: Final = 5.0  # s over which the rate is told
SHOWN: Final = 10  # last lines, alarms and gaps that are kept
CLIP: Final = 200  # characters of a line


@dataclass(frozen=True)
class Pulse:
    """Counts since the tail was made and before, and the last of what came, as text that is safe to show."""

    records: int
    alarms: int
    gap_count: int
    before: Totals  # that the case has from before
    since: datetime  # UTC: when the tail was made
    rate: float  # records a second, over the last seconds
    lines: Sequence[str]
    alarmed: Sequence[str]
    gaps: Sequence[str]


class Meter:
    """Counts what comes, and tells the pulse."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._began, self._since = clock, clock(), datetime.now(UTC)
        self._own, self._before = Totals(), Totals()
        self._came: deque[tuple[float, int]] = deque()
        self._lines: deque[str] = deque(maxlen=SHOWN)
        self._alarmed: deque[str] = deque(maxlen=SHOWN)
        self._gaps: deque[str] = deque(maxlen=SHOWN)

    def recall(self, totals: Totals, alarms: Sequence[str], gaps: Sequence[str]) -> None:
        """Begin with what the case has: all of it that was not counted here, and its last alarms and gaps."""
        self._before = Totals(*(whole - own for whole, own in zip(totals, self._own, strict=True)))
        self._alarmed = deque(alarms, maxlen=SHOWN)
        self._gaps = deque(map(visible, gaps), maxlen=SHOWN)

    def add(self, lines: pl.DataFrame, alarms: Sequence[str], gaps: Sequence[str]) -> None:
        """Count these records, alarms and gaps."""
        more = len(lines), len(alarms), len(gaps)
        self._own = Totals(*(own + new for own, new in zip(self._own, more, strict=True)))
        self._came.append((self._clock(), len(lines)))
        self._lines.extend(visible(text, CLIP) for text in lines["message"].tail(SHOWN))
        self._alarmed.extend(alarms)
        self._gaps.extend(visible(gap) for gap in gaps)

    def pulse(self) -> Pulse:
        """The pulse of this moment."""
        now = self._clock()
        while self._came and self._came[0][0] < now - SPAN:
            self._came.popleft()
        span = min(SPAN, max(now - self._began, 1.0))
        rate = sum(records for _, records in self._came) / span
        texts = tuple(self._lines), tuple(self._alarmed), tuple(self._gaps)
        return Pulse(*self._own, self._before, self._since, rate, *texts)


def alarm_texts(verdicts: pl.DataFrame) -> list[str]:
    r"""A line for each anomalous row: where, in which session, why, and what the log said, safe to show.

    >>> rows = {"file": ["/var/a.log#2"], "line": [7], "session": ["b\x1b"], "why": ["never seen"], "message": ["x"]}
    >>> print(*alarm_texts(pl.DataFrame(rows)))
    a.log#2:7 · b\x1b · never seen · x
    """
    file = pl.col("file").cast(pl.String)
    place = pl.format("{}:{}", file.str.replace(r".*/", ""), "line")
    session = pl.when(pl.col("session") != file).then("session")  # else it is the file, and says nothing more
    said = verdicts.select(place, session, "why", "message").rows()
    return [" · ".join(visible(part, CLIP) for part in parts if part) for parts in said]
