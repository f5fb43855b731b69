"""An opened text -> blocks of whole lines -> PHYSICAL lines: every byte counted, whatever it is.

It knows bytes and where they stand in the unpacked text; what a line means is ``records``' matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.frames import InputError
from deeplog_nb.lines.archives import Opened
from deeplog_nb.lines.encodings import SNIFFED, Form, form_of
from deeplog_nb.lines.streams import Peekable, filled

BLOCK: Final = 4 << 20  # bytes of text looked at at once
CROWDED: Final = 1 << 20  # lines: of a block with more, half is looked at at once
UNPACKED_BY_POLARS: Final = b"\x1f\x28\x78"  # gzip, zstandard, zlib
UTF8: Final = Form("utf-8")

PHYSICAL: Final = {  # one row a physical line
    "text": pl.String(),  # without its line end
    "offset": pl.UInt64(),  # byte of it in the unpacked text
    "length": pl.UInt64(),  # bytes of it there, the line end included
    "recoded": pl.Boolean(),  # not UTF-8: it was decoded, or bytes of it had to be written as \\xNN
    "cut": pl.Boolean(),  # longer than the limit: the text is its head only
    "damaged": pl.Boolean(),  # the source breaks off here
    "lone_cr": pl.Boolean(),  # carriage returns stand within it
}


@dataclass(frozen=True)
class Block:
    """Whole physical lines of a source: the bytes, and the offset of the first one."""

    data: bytes
    offset: int
    final: bool
    cut: int = 0  # bytes of the last line that lie beyond the limit, and are not in ``data``
    damaged: bool = False  # the source cannot be read beyond this block
    form: Form = UTF8

    @cached_property
    def lines(self) -> int:
        """How many physical lines it holds; the last may lack its newline."""
        if self.form.width == 1:
            return self.data.count(b"\n") + (self.data != b"" and not self.data.endswith(b"\n"))
        return len(_ends(self))

    @cached_property
    def returns(self) -> bool:
        """Whether it holds any carriage return."""
        return b"\r" in self.data

    @property
    def size(self) -> int:
        """How many bytes of the source it stands for."""
        return len(self.data) + self.cut


def blocks(opened: Opened, size: int = BLOCK) -> Iterator[Block]:
    """The text as blocks of whole lines; the last line of a file, and one that is cut, may lack its newline."""
    stream = opened.stream
    form = form_of(stream.peek(SNIFFED), str(opened.source))
    offset = len(filled(stream, len(form.mark)))
    for block in blocks_from(stream, form, offset, opened.limits.record, size):
        if stream.damage and block.offset + block.size == len(form.mark):
            raise InputError(f"{opened.source}: nothing of it can be read: {stream.damage}")
        yield block


def blocks_from(stream: Peekable, form: Form, offset: int, limit: int, size: int = BLOCK) -> Iterator[Block]:
    """The rest of a text whose form is known, from the line at this offset on; lines over the limit are cut."""
    rest, ended = b"", False
    while not ended:
        fresh = filled(stream, size)
        ended = not stream.peek(1)
        data, rest = (rest + fresh, b"") if ended else _whole_lines(rest, fresh, form)
        parts = list(_parts(data, limit, form))
        if len(rest) > limit:
            head = form.head(rest, limit)
            beyond, rest = _skip_line(stream, rest[len(head) :], size, form)
            parts.append((head, beyond))
            ended = not rest and not stream.peek(1)
        for number, (part, cut) in enumerate(parts, 1):
            final = ended and number == len(parts)
            yield from _not_crowded(Block(part, offset, final, cut, final and bool(stream.damage), form))
            offset += len(part) + cut
    if not parts:
        yield Block(b"", offset, final=True, form=form)


def _whole_lines(rest: bytes, fresh: bytes, form: Form) -> tuple[bytes, bytes]:
    """What ends with a newline, and what is behind it; in one copy, for this is every byte of a log."""
    if form.width == 1 and (whole := form.after_last_line(fresh)):
        return b"".join((rest, memoryview(fresh)[:whole])), fresh[whole:]
    data = rest + fresh
    whole = form.after_last_line(data)
    return data[:whole], data[whole:]


def _parts(data: bytes, limit: int, form: Form) -> Iterator[tuple[bytes, int]]:
    """These whole lines with each that is too long in a part of its own, cut, and told how much of it is left out."""
    begin = at = 0
    while len(data) - at > limit:
        if (newline := form.find_last(data, at, at + limit)) >= 0:
            at = newline + form.width
            continue
        if begin < at:
            yield data[begin:at], 0
        end = form.find(data, at + limit - limit % form.width)
        head = form.head(data[at : at + limit], limit)
        stop = len(data) if end < 0 else end + form.width
        yield head, stop - at - len(head)
        begin = at = stop
    if begin < len(data):
        yield data[begin:], 0


def _not_crowded(block: Block) -> Iterator[Block]:
    """The block, in several where its lines are so short that their rows would fill the memory."""
    middle = block.form.find(block.data, len(block.data) // 2) + block.form.width
    if block.lines <= CROWDED or not 0 < middle < len(block.data):
        yield block
        return
    yield from _not_crowded(replace(block, data=block.data[:middle], final=False, cut=0, damaged=False))
    yield from _not_crowded(replace(block, data=block.data[middle:], offset=block.offset + middle))


def _skip_line(stream: Peekable, data: bytes, size: int, form: Form) -> tuple[int, bytes]:
    """How many bytes go up to the end of this line, and what was read beyond it."""
    left_out = 0
    while (at := form.find(data)) < 0:
        kept = len(data) % form.width
        left_out += len(data) - kept
        if not (more := filled(stream, size)):
            return left_out + kept, b""
        data = data[len(data) - kept :] + more
    return left_out + at + form.width, data[at + form.width :]


def split_lines(block: Block) -> pl.DataFrame:
    """PHYSICAL: the block's lines, one row each."""
    texts, recoded = _texts(block)
    lines = pl.DataFrame({"text": texts, "length": _lengths(block, texts, recoded), "recoded": recoded})
    last = pl.int_range(pl.len()) == pl.len() - 1
    return lines.select(
        "text",
        offset=block.offset + pl.col("length").cum_sum() - pl.col("length"),
        length=pl.col("length") + pl.when(last).then(block.cut).otherwise(0).cast(pl.UInt64),
        recoded="recoded",
        cut=last & (block.cut > 0),
        damaged=last & block.damaged,
        lone_cr=pl.col("text").str.contains("\r", literal=True) if block.returns else False,
    )


def _texts(block: Block) -> tuple[pl.Series, pl.Series]:
    data = block.data
    if block.form.width > 1:
        data = data.decode(block.form.encoding, "backslashreplace").encode("utf-8")
    if not data:
        return pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Boolean)
    try:
        texts = _read_lines(data)
        return texts, pl.repeat(block.form.width > 1, len(texts), eager=True)
    except pl.exceptions.ComputeError:
        raw = data.removesuffix(b"\n").split(b"\n")
        decoded = [line.removesuffix(b"\r").decode("utf-8", "backslashreplace") for line in raw]
        return pl.Series(decoded, dtype=pl.String), pl.Series([not _is_utf8(line) for line in raw], dtype=pl.Boolean)


def _read_lines(data: bytes) -> pl.Series:
    """The lines; behind a newline where polars would take the first bytes, such as ``x^``, for a packing of its own."""
    if data[0] in UNPACKED_BY_POLARS:
        return pl.read_lines(b"\n" + data)["line"][1:]
    return pl.read_lines(data)["line"]


def _lengths(block: Block, texts: pl.Series, recoded: pl.Series) -> pl.Series:
    """Bytes of each line, its line end included: those of its text and one, where nothing else was taken off."""
    if block.form.width > 1 or block.returns or recoded.any():
        return pl.Series(np.diff(_ends(block), prepend=np.uint64(0)), dtype=pl.UInt64)
    lengths = texts.str.len_bytes().cast(pl.UInt64) + 1
    if len(lengths) and not block.data.endswith(b"\n"):
        lengths[-1] = int(lengths[-1]) - 1
    return lengths


def _ends(block: Block) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Where each line ends, its newline included."""
    width, data = block.form.width, block.data
    order = ">" if block.form.encoding.endswith("be") else "<"
    units = np.frombuffer(data, f"{order}u{width}", count=len(data) // width)
    ends = (np.flatnonzero(units == ord("\n")).astype(np.uint64) + np.uint64(1)) * np.uint64(width)
    if data and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, np.uint64(len(data)))
    return ends


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
