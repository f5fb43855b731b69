"""What a tail is doing right now, in a few numbers and texts: for a panel, a command line, a curious person."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from deeplog_nb.views.text import visible

SPAN: Final = 5.0  # s over which the rate is told
SHOWN: Final = 10  # last lines, alarms and gaps that are kept
CLIP: Final = 200  # characters of a line


@dataclass(frozen=True)
class Pulse:
    """Counts since the tail was made, and the last of what came, as text that is safe to show."""

    records: int
    alarms: int
    rate: float  # records a second, over the last seconds
    lines: Sequence[str]
    alarmed: Sequence[str]
    gaps: Sequence[str]


class Meter:
    """Counts what comes, and tells the pulse."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._began = clock, clock()
        self._records = self._alarms = 0
        self._came: deque[tuple[float, int]] = deque()
        self._lines: deque[str] = deque(maxlen=SHOWN)
        self._alarmed: deque[str] = deque(maxlen=SHOWN)
        self._gaps: deque[str] = deque(maxlen=SHOWN)

    def add(self, lines: pl.DataFrame, alarms: Sequence[str], gaps: Sequence[str]) -> None:
        """Count these records, alarms and gaps."""
        self._records += len(lines)
        self._alarms += len(alarms)
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
        return Pulse(self._records, self._alarms, rate, *texts)


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
