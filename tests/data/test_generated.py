"""Writing puts a log and its truth on disk, the same bytes each time."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl

from deeplog_nb.data import LINE_TRUTH, TRUTH, make_hdfs

SMALL = make_hdfs(3, blocks=60, anomalies=1, clean=0.2)


def test_log_and_truth_come_back(tmp_path: Path) -> None:
    """What is read is what was made."""
    path = SMALL.write(tmp_path, name="some.log")
    assert path.read_text() == SMALL.text
    assert pl.read_csv(tmp_path / "truth.csv", schema=TRUTH).equals(SMALL.truth)


def test_a_name_in_gz_is_compressed_without_a_date(tmp_path: Path) -> None:
    """The same log is the same file, whenever it is written."""
    first, second = (SMALL.write(tmp_path / name).read_bytes() for name in "ab")
    assert first == second
    assert gzip.decompress(first).decode() == SMALL.text


def test_truth_per_line_is_written_for_small_logs_only(tmp_path: Path) -> None:
    """A reader of a tiny log gets it, a big log stays two files."""
    SMALL.write(tmp_path / "small")
    make_hdfs(3).write(tmp_path / "big")
    assert pl.read_csv(tmp_path / "small/lines.csv", schema=LINE_TRUTH).equals(SMALL.lines)
    assert not (tmp_path / "big/lines.csv").exists()
