"""How the benchmarks take time and print it."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(work: Callable[[], object], runs: int = 3) -> float:
    """How long it takes, the middle of some runs."""
    return sorted(seconds(work) for _ in range(runs))[runs // 2]


def row(what: str, amount: int, unit: str, spent: float) -> None:
    """One line of a table: what, how many a second, how long."""
    print(f"{what:<48} {amount / spent:>14,.0f} {unit}/s   {spent:>8.2f} s")
