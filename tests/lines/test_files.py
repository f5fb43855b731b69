"""Bytes come out whole, whatever they are packed in; what cannot be read is said in one error."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import os
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.frames import InputError
from deeplog_nb.lines.archives import open_texts
from deeplog_nb.lines.blocks import Block, blocks, split_lines
from deeplog_nb.lines.files import Source, find_files
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read

zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "plain": bytes,
}
TEXT = b"".join(b"line %d of a log\n" % number for number in range(500))


def put(folder: Path, content: bytes, name: str = "a.log") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def found_in(path: Path, size: int = 1 << 20) -> list[Block]:
    return [block for opened in open_texts([Source(path)], Limits()) for block in blocks(opened, size)]


def whole(path: Path, size: int = 1 << 20) -> bytes:
    return b"".join(block.data for block in found_in(path, size))


@pytest.mark.parametrize("kind", PACKERS)
def test_content_not_name_tells_how_a_file_is_packed(tmp_path: Path, kind: str) -> None:
    """A file named .log comes out unpacked, whatever packed it."""
    assert whole(put(tmp_path, PACKERS[kind](TEXT))) == TEXT


@pytest.mark.parametrize("kind", PACKERS)
def test_members_packed_one_after_another_all_come_out(tmp_path: Path, kind: str) -> None:
    """Appending to a packed log, as log rotation does, loses nothing."""
    assert whole(put(tmp_path, PACKERS[kind](TEXT) + PACKERS[kind](b"more"))) == TEXT + b"more"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused_by_name(tmp_path: Path) -> None:
    """Where the system refuses, we say which file and why."""
    path = put(tmp_path, TEXT)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        whole(path)


def test_a_file_that_the_system_will_not_open_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the system becomes ours, whoever runs the test."""
    path = put(tmp_path, TEXT)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(InputError, match=r"a\.log.*Permission denied"):
        whole(path)


@settings(deadline=None, max_examples=100)
@given(content=st.text("a\nü\r€ ", max_size=60).map(str.encode), size=st.integers(1, 9))
def test_blocks_are_the_file_and_end_at_line_ends(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int
) -> None:
    """Blocks of any size put together are the text; all but the last end with a newline, each at its offset."""
    path = put(tmp_path_factory.mktemp("blocks"), b"x" + content)
    found = found_in(path, size)
    assert b"".join(block.data for block in found) == b"x" + content
    assert all(block.data.endswith(b"\n") for block in found[:-1])
    assert [block.final for block in found] == [False] * (len(found) - 1) + [True]
    assert [block.offset for block in found] == [sum(len(b.data) for b in found[:at]) for at in range(len(found))]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"\xff", "ü€".encode(), b"\xc3", b"\x00", b" "])))
def test_lines_are_what_stands_between_newlines(parts: list[bytes]) -> None:
    """LF and CRLF end a line, nothing else does; broken bytes are written out and told; each line has its offset."""
    data = b"".join(parts)
    lines = split_lines(Block(data, 5, final=True))
    raw = data.removesuffix(b"\n").split(b"\n") if data else []
    assert lines["text"].to_list() == [line.removesuffix(b"\r").decode(errors="backslashreplace") for line in raw]
    assert lines["recoded"].to_list() == [b"\\x" in line.decode(errors="backslashreplace").encode() for line in raw]
    assert lines["length"].sum() == len(data)
    assert lines["offset"].to_list() == [5 + sum(len(line) + 1 for line in raw[:at]) for at in range(len(raw))]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """The mark is skipped, and counted in the offset."""
    (block,) = found_in(put(tmp_path, BOM_UTF8 + b"a\n"))
    assert (block.data, block.offset, block.final) == (b"a\n", 3, True)


def test_an_empty_file_is_one_empty_block(tmp_path: Path) -> None:
    """No bytes, no lines, no error."""
    assert found_in(put(tmp_path, b"")) == [Block(b"", 0, final=True)]


def test_folders_globs_and_lists_name_each_file_once(tmp_path: Path) -> None:
    """Whatever names a file, it is read once, hidden ones not at all, in the order given."""
    first, second = put(tmp_path, b"1", "1.log"), put(tmp_path, b"2", "2.log")
    put(tmp_path, b"3", ".hidden")
    assert find_files(tmp_path) == [Source(first), Source(second)]
    assert find_files([second, str(tmp_path / "*.log")]) == [Source(second), Source(first)]


@pytest.mark.parametrize(
    ("paths", "said"),
    [([], "no files were named"), ("no/such*", "no such file"), ("x" * 5000, "cannot be looked up")],
)
def test_paths_that_name_nothing_are_refused(paths: str | list[str], said: str) -> None:
    """The error says what was wrong with the path."""
    with pytest.raises(InputError, match=said):
        find_files(paths)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    """An empty folder is not the same as no path at all."""
    with pytest.raises(InputError, match="a folder without files"):
        find_files(tmp_path)


@pytest.mark.parametrize("paths", ["", [""], None, 5, [5], ["a.log", None]])
def test_what_is_no_name_is_refused(paths: Any) -> None:
    """Nothing at all does not mean the folder we stand in."""
    with pytest.raises(InputError, match="names no file; give a path"):
        read(paths)
