"""A source -> blocks of whole lines: plain, gzip, zstandard, bzip2 or xz, told by content, not by name.

It knows bytes and where they stand in the uncompressed text; what a line means is ``records``' matter.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
import polars as pl

from deeplog_nb.frames import InputError
from deeplog_nb.lines.files import Source

BLOCK: Final = 8 << 20  # bytes of text looked at at once
BOM: Final = b"\xef\xbb\xbf"
MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}

PHYSICAL: Final = {  # one row a physical line
    "text": pl.String(),  # without its line end
    "offset": pl.UInt64(),  # byte of it in the uncompressed text
    "length": pl.UInt64(),  # bytes of it there, the line end included
    "recoded": pl.Boolean(),  # bytes that are not UTF-8 had to be written as \\xNN
    "cut": pl.Boolean(),  # longer than the limit: the text is its head only
    "damaged": pl.Boolean(),  # the source breaks off here
}


@dataclass(frozen=True)
class Block:
    """Whole physical lines of a source: the bytes, and the offset of the first one."""

    data: bytes
    offset: int
    final: bool
    cut: int = 0  # bytes of the last line that lie beyond the limit, and are not in ``data``
    damaged: bool = False  # the source cannot be read beyond this block


def blocks(source: Source, size: int = BLOCK) -> Iterator[Block]:
    """The source's uncompressed bytes as blocks that end at a line's end; the last one may not."""
    rest, offset = b"", 0
    try:
        with open_bytes(source.path) as stream:
            if (rest := stream.read(len(BOM))) == BOM:
                rest, offset = b"", len(BOM)
            while data := stream.read(size):
                cut = data.rfind(b"\n") + 1
                if cut:
                    yield Block(rest + data[:cut], offset, final=False)
                    offset, rest = offset + len(rest) + cut, data[cut:]
                else:
                    rest += data
    except (EOFError, OSError, zlib.error, lzma.LZMAError, _zstd().ZstdError) as error:
        raise InputError(
            f"{source}: cannot be read past byte {offset} of its text ({error}); is it whole, and may you read it?"
        ) from error
    yield Block(rest, offset, final=True)


def open_bytes(path: Path) -> IO[bytes]:
    """The file, opened for reading its uncompressed bytes."""
    with path.open("rb") as plain:
        head = plain.read(6)
    kind = next((name for magic, name in MAGIC.items() if head.startswith(magic)), "plain")
    if kind == "zstd":
        return cast("IO[bytes]", _zstd().open(path, "rb"))
    openers: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open, "plain": open}
    return cast("IO[bytes]", openers[kind](path, "rb"))


def split_lines(block: Block) -> pl.DataFrame:
    """PHYSICAL: the block's lines, one row each."""
    texts, recoded = _texts(block.data)
    lengths = _lengths(block.data)
    lines = pl.DataFrame({"text": texts, "length": lengths, "recoded": recoded})
    last = pl.int_range(pl.len()) == pl.len() - 1
    return lines.select(
        "text",
        offset=block.offset + pl.col("length").cum_sum() - pl.col("length"),
        length=pl.col("length") + pl.when(last).then(block.cut).otherwise(0).cast(pl.UInt64),
        recoded="recoded",
        cut=last & (block.cut > 0),
        damaged=last & block.damaged,
    )


def _texts(data: bytes) -> tuple[pl.Series, pl.Series]:
    if not data:
        return pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Boolean)
    try:
        texts = pl.read_lines(data)["line"]
        return texts, pl.repeat(False, len(texts), eager=True)
    except pl.exceptions.ComputeError:
        raw = data.removesuffix(b"\n").split(b"\n")
        decoded = [line.removesuffix(b"\r").decode("utf-8", "backslashreplace") for line in raw]
        return pl.Series(decoded, dtype=pl.String), pl.Series([not _is_utf8(line) for line in raw], dtype=pl.Boolean)


def _lengths(data: bytes) -> pl.Series:
    """Bytes of each line, its line end included."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")).astype(np.uint64) + 1
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, np.uint64(len(data)))
    return pl.Series(np.diff(ends, prepend=np.uint64(0)), dtype=pl.UInt64)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
