"""Paths -> files -> blocks of whole lines: plain, gzip, zstandard, bzip2 or xz, told by content, not by name.

It knows bytes and where they stand in the uncompressed file; what a line means is ``records``' matter.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
import polars as pl

from deeplog_nb.frames import InputError

Paths = str | Path | Sequence[str | Path]
BLOCK: Final = 32 << 20  # bytes of text looked at at once
BOM: Final = b"\xef\xbb\xbf"
MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


@dataclass(frozen=True)
class Block:
    """Whole physical lines of a file: the bytes, and the offset of the first one."""

    data: bytes
    offset: int
    final: bool


def find_files(paths: Paths) -> list[Path]:
    """The files that paths, globs and folders name, each once, in the order given; folders by name.

    >>> find_files("no/such/file.log")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: no/such/file.log: no such file, folder or glob
    """
    named = [paths] if isinstance(paths, str | Path) else list(paths)
    if not named:
        raise InputError("no files were named; give a path, a glob such as 'logs/*.gz', or a folder")
    return list(dict.fromkeys(file for path in named for file in _expand(str(path))))


def blocks(path: Path, size: int = BLOCK) -> Iterator[Block]:
    """The file's uncompressed bytes as blocks that end at a line's end; the last one may not."""
    rest, offset = b"", 0
    try:
        with open_bytes(path) as stream:
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
            f"{path}: cannot be read past byte {offset} of its text ({error}); is the file whole, and may you read it?"
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


def split_lines(block: Block) -> tuple[pl.Series, pl.Series, pl.Series]:
    r"""Texts, byte offsets, and whether bytes that are not UTF-8 had to be written as ``\xNN``."""
    ends = np.flatnonzero(np.frombuffer(block.data, np.uint8) == ord("\n")).astype(np.uint64) + 1
    starts = np.concatenate([np.zeros(1, np.uint64), ends])
    if not block.data or block.data.endswith(b"\n"):
        starts = starts[:-1]
    offsets = pl.Series("offset", starts + np.uint64(block.offset))
    try:
        texts = pl.read_lines(block.data)["line"] if block.data else pl.Series([], dtype=pl.String)
        return texts, offsets, pl.repeat(False, len(offsets), eager=True)
    except pl.exceptions.ComputeError:
        return _recode(block.data, offsets)


def _recode(data: bytes, offsets: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    raw = data.removesuffix(b"\n").split(b"\n")
    texts = [line.removesuffix(b"\r").decode("utf-8", "backslashreplace") for line in raw]
    recoded = [not _is_utf8(line) for line in raw]
    return pl.Series(texts, dtype=pl.String), offsets, pl.Series(recoded, dtype=pl.Boolean)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _expand(path: str) -> list[Path]:
    try:
        if Path(path).is_dir():
            return _in_folder(Path(path))
        if Path(path).is_file():
            return [Path(path)]
        matches = [Path(each) for each in sorted(glob.glob(path, recursive=True)) if Path(each).is_file()]
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(f"{path[:200]}: cannot be looked up ({error.strerror}); give another path") from error
    if not matches:
        raise InputError(f"{path}: no such file, folder or glob")
    return matches


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    if not found:
        raise InputError(f"{folder}: a folder without files; name the folder that holds the logs")
    return found


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
