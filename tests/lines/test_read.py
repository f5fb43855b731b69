"""Whole files: nothing is lost, and blocks, laziness and packing make no difference."""

from __future__ import annotations

import gzip
import os
from codecs import BOM_UTF8 as BOM
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deeplog_nb.frames import LINES, DeepLogError, InputError, check
from deeplog_nb.lines.blocks import Block, blocks, split_lines
from deeplog_nb.lines.layouts import Layout
from deeplog_nb.lines.read import detect_layout, read, scan, session_pattern

HDFS = b"260302 101500 21 INFO dfs.A: Got blk_7\n"
PARTS = {
    "syslog": [b"Dec 31 23:59:59 h a: x", b"Jan  1 00:00:00 h a: y", b"Feb 29 00:00:00 h b[3]: z", b"\tat foo", b"###"],
    "json": [b'{"ts": 3, "msg": "a", "id": 1}', b'{"msg": "x', b'{"a": 1}', b'{"ts": "nan", "msg": "\\u0000"}'],
    "iso": [b"2026-03-02 10:15:00 x", b"", b" ", b"\tat foo", b"a.B: c", b"panic: d"],
    "cri": [
        b"2026-03-02T10:15:00Z stdout " + each for each in (b"F x", b"P y", b"F \tat z", b"P  at", b"F ", b"F z: 1")
    ],
    "text": [b"started", b"  ", "ü€".encode(), b"a\rb"],
}
HOSTILE = [b"", b"\xff\xff", b"\xc3", b"\xbc", b"\x00", b"\r"]


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, bytes]:
    """A layout and a log that mostly keeps to it."""
    layout = draw(st.sampled_from(sorted(PARTS)))
    line = st.tuples(st.sampled_from([*PARTS[layout] * 3, *HOSTILE]), st.sampled_from([b"\n", b"\r\n", b""]))
    return layout, b"".join(part for pair in draw(st.lists(line, max_size=12)) for part in pair)


def put(folder: Path, content: bytes, name: str = "a.log") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def in_blocks(size: int) -> Callable[..., object]:
    return lambda opened, first=None: blocks(opened, first or size)


def but_one(block: Block) -> pl.DataFrame:
    return split_lines(block).head(1)


def physical(content: bytes) -> int:
    return content.count(b"\n") + (content != b"" and not content.endswith(b"\n"))


@settings(deadline=None, max_examples=60)
@example(log=("syslog", b"\tat foo\n\tat foo\n"), size=1)
@example(log=("iso", b"\n\tat foo\n"), size=1)
@given(log=logs(), size=st.integers(1, 40))
def test_records_do_not_depend_on_where_blocks_end(
    tmp_path_factory: pytest.TempPathFactory, log: tuple[str, bytes], size: int
) -> None:
    """Years, folded lines, broken bytes, line numbers and offsets are the same however little is read at once."""
    path = put(tmp_path_factory.mktemp("log"), log[1])
    at_once = read(path, layout=log[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deeplog_nb.lines.read.blocks", in_blocks(size))
        assert read(path, layout=log[0]).equals(at_once)


@settings(deadline=None, max_examples=60)
@given(log=logs())
def test_every_physical_line_comes_out(tmp_path_factory: pytest.TempPathFactory, log: tuple[str, bytes]) -> None:
    """Lines in are matched, unmatched or folded lines out, and offsets point at them."""
    lines = read(put(tmp_path_factory.mktemp("log"), log[1]), layout=log[0])
    folded = 0 if log[0] in ("json", "cri") else lines["message"].str.count_matches("\n").sum()
    assert log[0] == "cri" or lines.height + folded == physical(log[1])
    assert lines["message"].null_count() == 0
    assert [log[1][:at].count(b"\n") + 1 for at in lines["offset"]] == lines["line"].to_list()


@settings(deadline=None, max_examples=20)
@given(log=logs(), n=st.integers(0, 5), size=st.integers(1, 40))
def test_scan_gives_what_read_gives(
    tmp_path_factory: pytest.TempPathFactory, log: tuple[str, bytes], n: int, size: int
) -> None:
    """Filters, columns and limits pushed into the scan give the same rows as on the frame."""
    path, late = put(tmp_path_factory.mktemp("log"), log[1]), pl.col("matched") & (pl.col("line") > 2)
    lines, lazy = read(path, layout=log[0]), scan(path, layout=log[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deeplog_nb.lines.read.blocks", in_blocks(size))
        assert lazy.collect().equals(lines)
        assert lazy.filter(late).head(n).collect().equals(lines.filter(late).head(n))
        assert lazy.head(n).filter(late).collect().equals(lines.head(n).filter(late))
        assert lazy.filter(late).select("message").collect().equals(lines.filter(late).select("message"))
        assert lazy.slice(1, n).select("line", "flags").collect().equals(lines.slice(1, n).select("line", "flags"))


def test_scan_tells_its_columns_before_it_reads(tmp_path: Path) -> None:
    """The schema of the lazy frame is that of the frame, a layout's own columns included."""
    path = put(tmp_path, HDFS)
    assert scan(path).collect_schema() == read(path).schema
    assert check(read(path), LINES, "lines").columns[-1] == "pid"


@pytest.mark.parametrize(
    "content", [HDFS * 2, HDFS + HDFS[:-1], HDFS.replace(b"\n", b"\r\n") * 2, gzip.compress(HDFS * 2)]
)
def test_line_ends_and_packing_make_no_difference(tmp_path: Path, content: bytes) -> None:
    """LF, CRLF, no newline at the end, packed: the same two messages."""
    assert read(put(tmp_path, content))["message"].to_list() == ["Got blk_7"] * 2


def test_a_byte_order_mark_does_not_hide_the_first_record(tmp_path: Path) -> None:
    """The first line matches, three bytes into the file."""
    assert read(put(tmp_path, BOM + HDFS)).select("line", "offset", "matched").row(0) == (1, 3, True)


def test_bytes_that_are_not_text_are_written_out_and_flagged(tmp_path: Path) -> None:
    r"""A byte that is not UTF-8 becomes \xNN in its own record, and in no other."""
    lines = read(put(tmp_path, HDFS + HDFS.replace(b"Got", b"G\xfft") + HDFS))
    assert lines["message"].to_list() == ["Got blk_7", "G\\xfft blk_7", "Got blk_7"]
    assert lines["flags"].to_list() == [[], ["recoded"], []]


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", BOM])
def test_a_file_without_text_has_no_layout_to_tell(tmp_path: Path, content: bytes) -> None:
    """Asked to tell the layout of nothing, we say so; told the layout, we give the lines there are."""
    path = put(tmp_path, content)
    with pytest.raises(InputError, match=r"a\.log: holds no text"):
        read(path)
    assert [read(path, layout=name).height for name in ("hdfs", "json", "text")] == [content.count(b"\n")] * 3


def test_blank_lines_first_do_not_hide_the_layout(tmp_path: Path) -> None:
    """Five hundred empty lines, then a log: the log is found and the empty lines are kept."""
    lines = read(put(tmp_path, b"\n" * 500 + HDFS))
    assert (lines.height, lines["matched"].sum(), lines["line"][-1]) == (501, 1, 501)


def test_files_are_read_one_after_another(tmp_path: Path) -> None:
    """Lines count from 1 in each file, and an empty file among them does no harm."""
    paths = [put(tmp_path, content, name) for name, content in (("a", b""), ("b", HDFS * 2), ("c", HDFS))]
    assert read(paths).select(pl.col("file").cast(pl.String), "line").rows() == [
        (str(paths[1]), 1),
        (str(paths[1]), 2),
        (str(paths[2]), 1),
    ]


def test_the_year_comes_from_the_argument_or_from_the_files_date(tmp_path: Path) -> None:
    """A log of December in a file of January is last December's, unless we are told the year."""
    path = put(tmp_path, b"Dec 28 10:00:00 gate su: ok\n")
    os.utime(path, (datetime(2026, 1, 3).timestamp(),) * 2)
    assert [time.year for time in (read(path)["time"][0], read(path, year=1999)["time"][0])] == [2025, 1999]


def test_a_layout_of_ones_own_gives_its_own_columns(tmp_path: Path) -> None:
    """Every named group comes out; one that cannot work is refused before reading."""
    own = Layout("mine", "my log", pattern=r"^(?P<time>\d{8}) (?P<shop>\w+): (?P<message>.*)$", time=["%Y%m%d"])
    path = put(tmp_path, b"20260302 nord: 7 sold\n")
    assert read(path, layout=own).select("shop", "message", "matched").row(0) == ("nord", "7 sold", True)
    with pytest.raises(InputError, match="layout 'bad'"):
        read(path, layout=Layout("bad", "broken", pattern="("))


def test_json_fields_become_columns(tmp_path: Path) -> None:
    """A field of the record can name its session; a broken line among them is kept."""
    lines = read(put(tmp_path, b'{"msg": "a", "order": 7}\n' * 8 + b"oops\n"))
    assert lines["order"].to_list() == ["7"] * 8 + [None]
    assert lines["message"].to_list() == ["a"] * 8 + ["oops"]


def test_a_defect_that_loses_lines_does_not_go_unnoticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines out are not lines in, reading stops with an error rather than with less."""
    monkeypatch.setattr("deeplog_nb.lines.read.split_lines", but_one)
    with pytest.raises(DeepLogError, match="2 lines, 78 bytes in, 1 lines, 39 bytes out; this is a defect"):
        read(put(tmp_path, HDFS * 2), layout="hdfs")


def test_the_layout_knows_how_sessions_are_named(tmp_path: Path) -> None:
    """A known format brings the pattern of its session ids; bare text has none."""
    assert session_pattern(put(tmp_path, HDFS)) == r"(blk_-?\d+)"
    assert session_pattern(put(tmp_path, b"hello\n")) is None


@pytest.mark.parametrize(
    ("name", "layout", "count", "unmatched"),
    [
        ("hdfs/raw_head20000.log.gz", "hdfs", 20_000, 0),
        ("openstack/raw_normal1_instances.log.gz", "openstack", 13_865, 0),
        ("bgl/bgl_lines_000001_060000.log.gz", "bgl", 60_000, 0),
        ("linux/Linux.log.gz", "syslog", 25_567, 0),
        ("loghub_2k/Hadoop/Hadoop_2k.log", "hadoop", 2_000, 0),
        ("loghub_2k/Spark/Spark_2k.log", "spark", 2_000, 0),
    ],
)
def test_real_logs_are_told_and_read_whole(
    data: Callable[[str], Path], name: str, layout: str, count: int, unmatched: int
) -> None:
    """The layout is told by itself, and as many lines come out as the log's README says."""
    path = data(name)
    lines = read(path)
    assert detect_layout(path).layout.name == layout
    assert (lines.height, (~lines["matched"]).sum()) == (count, unmatched)
    assert scan(path).select("line", "message").collect().equals(lines.select("line", "message"))


def test_carriage_returns_within_a_line_are_flagged(tmp_path: Path) -> None:
    """A log of an old Mac is one line to us, and is said to be an odd one; CRLF is a line end."""
    assert read(put(tmp_path, b"a\rb\rc\r\nd\r\n"), layout="text")["flags"].to_list() == [["lone_cr"], []]
