"""How the benchmarks take time and memory and print them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


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


def peak(command: Sequence[str]) -> tuple[float, float]:
    """Megabytes at its peak and seconds that a process of its own takes."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kilobytes / 1024, time.perf_counter() - began
