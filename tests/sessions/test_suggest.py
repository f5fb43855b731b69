"""The id that tells sessions apart stands first; what only looks like one stands below, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.data import load_hdfs, load_openstack
from deeplog_nb.frames import InputError
from deeplog_nb.lines.read import read
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.sessions.suggest import suggest_sessions


def said(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"message": texts}, schema={"message": pl.String})


def interleaved(open_: str, close: str, count: int = 9) -> pl.DataFrame:
    """Each id opens, and closes when the next one has opened."""
    pairs = ((open_.format(at), close.format(at - 1)) for at in range(1, count))
    return said(*(text for pair in pairs for text in pair))


@pytest.mark.parametrize(
    ("texts", "example"),
    [
        (("open job_{}", "close job_{}"), "job_1"),
        (("open user={}", "user={} left"), "1"),
        (("task {} began", "ended: task {}"), "1"),
        (("began #{0} id: 7a{0}", "id: 7a{} over"), "7a1"),
    ],
)
def test_ids_are_found_however_they_are_written(texts: tuple[str, str], example: str) -> None:
    """With an underscore, an equals sign, a blank: the pattern names them for sessionize."""
    lines = interleaved(*texts)
    best = suggest_sessions(lines).row(0, named=True)
    assert (best["example"], best["sessions"]) == (example, 9)
    events = lines.with_columns(key=pl.lit(1, pl.UInt32))
    assert sessionize(events, by=best["by"])["session"].n_unique() == best["sessions"]


def test_fewer_than_one_suggestion_are_refused() -> None:
    """The error says what is wanted."""
    with pytest.raises(InputError, match="most is -1; give how many"):
        suggest_sessions(said("open job_1"), most=-1)


def test_a_column_is_suggested_by_its_name() -> None:
    """What the layout cut out of the line may be the id."""
    lines = said(*["open", "read", "close"] * 6).with_columns(pid=pl.Series([f"{row // 3}" for row in range(18)]))
    assert suggest_sessions(lines)["by"].to_list() == ["pid"]


@pytest.mark.parametrize("lines", [said(), said("a", "b"), said(*["took 3 s"] * 50), said(*map(str, range(50)))])
def test_where_there_is_no_id_there_is_no_suggestion(lines: pl.DataFrame) -> None:
    """No lines, no numbers, one value, values that never come twice."""
    assert suggest_sessions(lines).is_empty()


@pytest.mark.parametrize(
    "text", ["(((=1", "a_1" * 5000, "x" * 100_000 + "_1", "é_1 {}=2 \\b_3", "\x00_1", "[" * 999 + "=1"]
)
def test_hostile_messages_do_no_harm(text: str) -> None:
    """Names come from the log: they are letters, or they are none."""
    assert suggest_sessions(said(*[text, f"{text} again"] * 10)).height <= 5


def test_bundled_logs_are_told_by_their_ids() -> None:
    """Blocks, and the machines of OpenStack."""
    assert suggest_sessions(read(load_hdfs().log))["example"][0].startswith("blk_")
    assert suggest_sessions(read(load_openstack().log))["by"][0].startswith(r"\binstance")


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("hdfs/raw_head20000.log.gz", r"\b(blk_"),
        ("openstack_kalaki/nova_sample.log.gz", r"\binstance["),
        ("loghub_2k/OpenSSH/OpenSSH_2k.log", "pid"),
    ],
)
def test_real_logs_are_told_by_their_ids(data: Callable[[str], Path], name: str, by: str) -> None:
    """The id that their authors cut them by."""
    assert suggest_sessions(read(data(name)))["by"][0].startswith(by)
