"""Peak memory of ``deeplog-nb parse`` on logs of growing size (``make bench``): it should not grow with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deeplog_nb.data import make_hdfs

GIGABYTES = [float(size) for size in os.environ.get("DEEPLOG_NB_GIGABYTES", "1,8").split(",")]


def peak(log: Path, out: Path) -> tuple[float, float]:
    """Megabytes and seconds that a process of its own takes from the log to its events in parquet."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "deeplog_nb.cli", "parse", str(log), "--out", str(out)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kilobytes / 1024, time.perf_counter() - began


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="no wait4 on this system")
def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """The same generated log, with block ids of its own in each copy, up to so many gigabytes."""
    text = make_hdfs(1, blocks=5000, anomalies=0).text
    print()
    for size in GIGABYTES:
        log, copies = tmp_path / "hdfs.log", int(size * 1e9 / len(text)) + 1
        with log.open("w", encoding="utf-8") as out:
            out.writelines(text.replace("blk_", f"blk_{copy}") for copy in range(copies))
        megabytes, seconds = peak(log, tmp_path / "events.parquet")
        lines, written = text.count("\n") * copies, log.stat().st_size / 1e9
        print(f"{written:6.1f} GB {megabytes:8.0f} MB peak {lines / seconds:12,.0f} lines/s {seconds:8.1f} s")
