"""Numbers as charts say them: percentages that feign nothing, axis lines at round values.

Plain numbers in, plain numbers and texts out; it draws nothing.
"""

from __future__ import annotations

import math
from typing import Final

LOG_FROM: Final = 50  # with more ranks than this the rank axis is logarithmic


def counted(number: int, noun: str) -> str:
    """The number with thousands apart, and its noun in the right form.

    >>> counted(1, "session"), counted(11_080_000, "next key")
    ('1 session', '11,080,000 next keys')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """The share in percent, in as many digits as it takes not to feign 0 or 100.

    >>> percent(0.979), percent(0.99982), percent(1.0)
    ('97.9 %', '99.98 %', '100 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    texts = (f"{100 * share:.{digits}f}" for digits in range(1, 15))
    return next(text for text in texts if 0 < float(text) < 100) + " %"


def share_ticks(lowest: float) -> list[float]:
    """Where a share axis has its lines: from a round value below the lowest share up to 1.

    >>> share_ticks(0.72), share_ticks(0.985), share_ticks(0.05)
    ([0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0], [0.98, 0.985, 0.99, 0.995, 1.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    gap = (1 - lowest) or 1.0
    digits = min(4, math.ceil(-math.log10(gap)))
    units = next(n for n in (1, 2, 3, 4, 5, 6, 8, 10) if n >= gap * 10**digits - 1e-9)
    step = 0.2 if units == 1 else 0.5 if units < 4 else 1 if units < 8 else 2
    lines = round(units / step)
    return [round(1 - (lines - line) * step / 10**digits, digits + 2) for line in range(lines + 1)]


def rank_ticks(last: int) -> list[int]:
    """The ranks that the axis names: 1 first, then all, every fifth, or 1, 2, 5 of each decade.

    >>> rank_ticks(12)[-3:], rank_ticks(28), rank_ticks(380)
    ([10, 11, 12], [1, 5, 10, 15, 20, 25], [1, 2, 5, 10, 20, 50, 100, 200])
    """
    if last > LOG_FROM:
        return [lead * 10**power for power in range(5) for lead in (1, 2, 5) if lead * 10**power <= last]
    return list(range(1, last + 1)) if last <= 15 else [1, *range(5, last + 1, 5)]


def duration(seconds: float) -> str:
    """The time in the unit in which people would say it.

    >>> duration(0.00042), duration(0.35), duration(19.84), duration(200), duration(7200), duration(400_000)
    ('0.42 ms', '350 ms', '19.8 s', '3.33 min', '2 h', '4.63 days')
    """
    units = ((172_800, 86_400, "days"), (5_400, 3_600, "h"), (90, 60, "min"), (1, 1, "s"), (0, 0.001, "ms"))
    size, name = next((size, name) for least, size, name in units if abs(seconds) >= least)
    return f"{seconds / size:.3g} {name}" if abs(seconds) < 1e8 else f"{seconds / size:,.0f} {name}"
