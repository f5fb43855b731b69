"""How a text is written is told by its bytes; what is none is refused; nothing on disk but files is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.archives import open_texts
from deeplog_nb.lines.blocks import Block, blocks, split_lines
from deeplog_nb.lines.encodings import MARKS, Form, form_of
from deeplog_nb.lines.files import Source, find_files
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read

WIDE = {encoding: mark for mark, encoding in MARKS.items() if encoding != "utf-8"}
TEXT = "first line here\r\nzweite Zeile ü€😀\n\nlast"


def put(folder: Path, content: bytes) -> Path:
    path = folder / "a.log"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("marked", [True, False])
def test_wide_encodings_are_decoded_and_told(tmp_path: Path, encoding: str, marked: bool) -> None:
    """Lines as they were meant; offsets and lengths are those of the file's own bytes."""
    if encoding.startswith("utf-32") and not marked:
        return
    mark = WIDE[encoding] if marked else b""
    raw = [(line + "\n").encode(encoding) for line in TEXT.split("\n")]
    lines = read(put(tmp_path, mark + TEXT.encode(encoding)), layout="text")
    assert lines["message"].to_list() == ["first line here", "zweite Zeile ü€😀", "", "last"]
    assert lines["offset"].to_list() == [len(mark) + sum(map(len, raw[:at])) for at in range(4)]
    assert lines["length"].sum() == len(TEXT.encode(encoding))
    assert lines["flags"].to_list() == [["recoded"]] * 4


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("size", [1, 3, 8, 50])
def test_wide_lines_do_not_depend_on_where_blocks_end(tmp_path: Path, encoding: str, size: int) -> None:
    """A newline's bytes within other characters are none; a long line is cut between characters."""
    text = "ਊ਀\n" + "xਊ" * 40 + "\nend"  # U+0A0A, U+0A00
    source = Source(put(tmp_path, WIDE[encoding] + text.encode(encoding) + b"\0"))  # and half a character
    (parts,) = (list(blocks(each, size)) for each in open_texts([source], Limits(record=41)))
    found = [line for block in parts for line in split_lines(block).rows()]
    kept = 41 // Form(encoding).width
    assert [row[0] for row in found] == ["ਊ਀", ("xਊ" * 40)[:kept], "end\\x00"]
    assert [row[4] for row in found] == [False, True, False]
    assert sum(row[2] for row in found) == len(text.encode(encoding)) + 1


def test_broken_wide_text_keeps_its_lines() -> None:
    """Half a pair before a newline does not swallow it."""
    data = b"a\0\x00\xd8\n\0b\0\n\0"
    assert split_lines(Block(data, 0, True, form=Form("utf-16-le")))["text"].to_list() == ["a\\x00\\xd8", "b"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\x7fELF\2\1\1", r"is a program \(ELF\), not text"),
        (b"\x89PNG\r\n", "is a picture"),
        (b"SQLite format 3\0", "is an SQLite database"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive, which we cannot open"),
        (bytes(range(256)) * 4, "is no text .* control characters"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, head: bytes, said: str) -> None:
    """The error says what it is instead."""
    with pytest.raises(InputError, match=rf"a\.log: {said}"):
        read(put(tmp_path, head))


@pytest.mark.parametrize(
    "head", [b"\0" * 3000 + b"a line\n", b"\x1b[31mred\x1b[0m\n" * 9, b"\xff\xfea\n", b"\xe4\xf6 \n" * 99]
)
def test_odd_bytes_in_a_log_do_not_make_it_binary(head: bytes) -> None:
    """Zeros of a truncated file, colours, two broken bytes that look like a mark, Latin-1."""
    assert form_of(head, "a.log") == Form("utf-8")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_long_line_is_cut_between_characters_wherever_blocks_end(tmp_path: Path, size: int) -> None:
    """The head is at most the limit, the length is true, and the lines around it are untouched."""
    source = Source(put(tmp_path, b"a\n" + "€".encode() * 10 + b"\nb\n" + b"x" * 8 + b"\nc"))
    (found,) = (list(blocks(each, size)) for each in open_texts([source], Limits(record=8)))
    rows = [row for block in found for row in split_lines(block).select("text", "offset", "length", "cut").rows()]
    assert rows == [
        ("a", 0, 2, False),
        ("€€", 2, 31, True),
        ("b", 33, 2, False),
        ("x" * 8, 35, 9, True),
        ("c", 44, 1, False),
    ]


@pytest.mark.skipif(os.name != "posix", reason="pipes and sockets have no names elsewhere")
def test_what_is_no_file_is_refused_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A pipe, a socket, a device, links in a circle."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to("round")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        for name, said in (
            ("pipe", "a pipe"),
            ("sock", "a socket"),
            ("/dev/null", "a device"),
            ("round", "a link that"),
        ):
            with pytest.raises(InputError, match=said):
                read(tmp_path / name)
        with pytest.raises(InputError, match="a pipe, not a file"):
            next(open_texts([Source(tmp_path / "pipe")], Limits()))


def test_links_in_circles_end(tmp_path: Path) -> None:
    """Folders that contain themselves thrice over."""
    for name in ("a", "b", "c"):
        (tmp_path / name).symlink_to(tmp_path)
    path = put(tmp_path, b"x\n")
    assert find_files(f"{tmp_path}/**/*.log") == find_files(tmp_path) == [Source(path)]


def test_a_file_that_grows_while_it_is_read_ends_where_it_ended(tmp_path: Path) -> None:
    """What is appended meanwhile belongs to the next reading."""
    path = put(tmp_path, b"one\ntwo\n")
    found = open_texts([Source(path)], Limits())
    opened = next(found)
    with path.open("ab") as file:
        file.write(b"three\n")
    assert b"".join(block.data for block in blocks(opened, 2)) == b"one\ntwo\n"


def test_a_file_that_shrinks_while_it_is_read_says_so(tmp_path: Path) -> None:
    """The last line that was still there is called damaged."""
    path = put(tmp_path, b"line\n" * 50_000)
    found = open_texts([Source(path)], Limits())
    opened = next(found)
    opened.stream.peek(1)
    os.truncate(path, 100_000)
    assert [block.damaged for block in blocks(opened, 1 << 20)] == [True]
