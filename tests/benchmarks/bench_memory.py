"""Peak memory of ``deeplog-nb parse`` on logs of growing size (``make bench``): it should not grow with them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from timing import peak

from deeplog_nb.data import make_hdfs

GIGABYTES = [float(size) for size in os.environ.get("DEEPLOG_NB_GIGABYTES", "1,8").split(",")]


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="no wait4 on this system")
def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """The same generated log, with block ids of its own in each copy, up to so many gigabytes."""
    text = make_hdfs(1, blocks=5000, anomalies=0).text
    print()
    for size in GIGABYTES:
        log, copies = tmp_path / "hdfs.log", int(size * 1e9 / len(text)) + 1
        with log.open("w", encoding="utf-8") as out:
            out.writelines(text.replace("blk_", f"blk_{copy}") for copy in range(copies))
        out = tmp_path / "events.parquet"
        megabytes, seconds = peak([sys.executable, "-m", "deeplog_nb.cli", "parse", str(log), "--out", str(out)])
        lines, written = text.count("\n") * copies, log.stat().st_size / 1e9
        print(f"{written:6.1f} GB {megabytes:8.0f} MB peak {lines / seconds:12,.0f} lines/s {seconds:8.1f} s")
