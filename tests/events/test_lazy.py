"""Logs larger than memory: lazy lines give the same templates and events, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import FrameError
from deeplog_nb.lines.read import read, scan
from deeplog_nb.resources import shipped


@pytest.fixture(params=["bundled", "hdfs/raw_head20000.log.gz", "linux/Linux.log.gz"])
def log(request: pytest.FixtureRequest) -> Path:
    """A bundled log, and real ones where they are at hand."""
    if request.param == "bundled":
        return shipped("datasets", "openstack", "openstack.log.gz")
    data: Callable[[str], Path] = request.getfixturevalue("data")
    return data(request.param)


def test_lazy_lines_give_the_same_templates_and_events(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the batches are, learning and parsing come to the same, and parquet gives it back."""
    lines = read(log)
    templates = Spell().fit(lines)
    monkeypatch.setattr("deeplog_nb.lines.blocks.BLOCK", 1 << 16)
    assert Spell().fit(scan(log)) == templates
    templates.parse(scan(log)).sink_parquet(tmp_path / "events.parquet")
    written = pl.read_parquet(tmp_path / "events.parquet").with_columns(pl.col("file").cast(pl.Categorical))
    assert written.equals(templates.parse(lines))


def test_lazy_lines_learn_only_what_is_new() -> None:
    """Extending by lazy lines is extending by lines."""
    old, more = pl.DataFrame({"message": ["Took 1 s", "VM up"]}), pl.DataFrame({"message": ["disk full", "Took 9 s"]})
    templates = Spell().fit(old)
    assert templates.extend(more.lazy()) == templates.extend(more)


def test_a_null_message_is_refused_lazily_too() -> None:
    """The error comes when the frame is asked for."""
    with pytest.raises((FrameError, pl.exceptions.ComputeError), match=r"messages? is null"):
        Spell().fit(pl.LazyFrame({"message": ["a", None]}))
