"""Where bytes come from: the one shape that files, packings and members of archives share, and the plain file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Final, Protocol

from deeplog_nb.frames import InputError
from deeplog_nb.lines.limits import Meter

CHUNK: Final = 1 << 16
AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | os.O_RDONLY  # a pipe must not keep us


class Stream(Protocol):
    """Bytes one after another; whether they are all that there should be is known at their end."""

    @property
    def damage(self) -> str:
        """Why the bytes break off, once they did; empty where they are whole."""

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""


class Peekable:
    """A stream whose next bytes can be looked at before they are read."""

    def __init__(self, inner: Stream) -> None:
        self.inner = inner
        self._head = b""

    @property
    def damage(self) -> str:
        """Why the bytes break off, once they did."""
        return self.inner.damage

    @property
    def untouched(self) -> bytes:
        """What was looked at and is not yet read."""
        return self._head

    def peek(self, size: int) -> bytes:
        """The next so many bytes, fewer only at the end."""
        while len(self._head) < size and (more := self.inner.read(CHUNK)):
            self._head += more
        return self._head[:size]

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        if not self._head:
            return self.inner.read(size)
        part, self._head = self._head[:size], self._head[size:]
        return part


class PlainFile:
    """A file as it stands: no more than it held when it was opened, so that one that grows has an end."""

    def __init__(self, path: Path, file: IO[bytes], meter: Meter) -> None:
        self.damage = ""
        self.file, self.meter, self.path = file, meter, path
        self.size = os.fstat(file.fileno()).st_size
        self._left = self.size

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        try:
            data = self.file.read(min(size, self._left))
        except OSError as error:
            return self._broken(f"the system reads no further ({error.strerror})")
        self._left -= len(data)
        self.meter.taken += len(data)
        if not data and self._left:
            return self._broken(f"it lost its last {self._left:,} bytes while it was read")
        return data

    def _broken(self, why: str) -> bytes:
        self.damage, self._left = why, 0
        return b""


def filled(stream: Stream, size: int) -> bytes:
    """So many bytes of a stream, fewer only at its end.

    >>> filled(Peekable(Piece(__import__("io").BytesIO(b"abcdef"), 1, 4)), 3)
    b'bcd'
    """
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Piece:
    """Some bytes of a file that can be sought in, counted where they come off the disk."""

    def __init__(self, file: IO[bytes], start: int, size: int, meter: Meter | None = None) -> None:
        self.damage = ""
        self._file, self._at, self._left, self._meter = file, start, size, meter

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        self._file.seek(self._at)
        data = self._file.read(min(size, self._left))
        self._at, self._left = self._at + len(data), self._left - len(data)
        if self._meter:
            self._meter.taken += len(data)
        return data


def open_file(path: Path) -> IO[bytes]:
    """The file, opened; anything that is not one, and anything that may not be read, is refused by name.

    >>> open_file(Path("/dev/null"))
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: /dev/null: a device, not a file; ...
    """
    try:
        number = os.open(path, AT_ONCE)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror}); is it there, and may you read it?") from error
    if what := not_a_file(os.fstat(number).st_mode):
        os.close(number)
        raise InputError(f"{path}: {what}, not a file; write its text to a file and read that")
    return os.fdopen(number, "rb", buffering=0)


def not_a_file(mode: int) -> str:
    """What a thing on disk is that is no regular file; empty for one that is.

    >>> not_a_file(stat.S_IFIFO)
    'a pipe'
    """
    if stat.S_ISREG(mode):
        return ""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
