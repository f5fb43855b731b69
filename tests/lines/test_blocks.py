"""Blocks stay small enough to work on, and lines are never taken for a packing of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from deeplog_nb.lines.archives import open_texts
from deeplog_nb.lines.blocks import Block, blocks, split_lines
from deeplog_nb.lines.files import Source
from deeplog_nb.lines.limits import Limits


def test_a_block_of_nothing_but_newlines_is_cut_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows take more memory than empty lines: few at a time, and each with its offset."""
    monkeypatch.setattr("deeplog_nb.lines.blocks.CROWDED", 5)
    path = tmp_path / "a.log"
    path.write_bytes(b"\n" * 20 + b"x")
    (found,) = (list(blocks(each)) for each in open_texts([Source(path)], Limits()))
    assert [block.offset for block in found] == [sum(each.size for each in found[:at]) for at in range(len(found))]
    assert [block.final for block in found] == [False] * (len(found) - 1) + [True]
    assert (sum(block.lines for block in found), max(block.lines for block in found)) == (21, 5)


@pytest.mark.parametrize("start", [b"x^2", b"x\x9c", b"x\xda", b"(\xb5/\xfd", b"\x1f\x8b", b"BZh9", b"x", b"("])
def test_a_block_that_begins_like_a_packing_is_not_unpacked(start: bytes) -> None:
    """It is text, whatever a library makes of its first bytes."""
    lines = split_lines(Block(start + b" and\nmore", 0, final=True))
    assert lines["text"].to_list() == [start.decode(errors="backslashreplace") + " and", "more"]
    assert lines["length"].to_list() == [len(start) + 5, 4]
