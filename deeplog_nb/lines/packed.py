"""Packed bytes -> their text: gzip, zstandard, bzip2, xz; what is broken gives what can still be had, and says why.

Our own loop around the decompressors, because theirs give up the text before a break, pass over
what stands behind the packed text, and know no limits.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections import deque
from typing import Any, Final, Protocol

from deeplog_nb.frames import InputError
from deeplog_nb.lines.limits import Meter
from deeplog_nb.lines.streams import CHUNK, Stream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OUT: Final = 1 << 16  # bytes unpacked at a time: as many are lost where the break is far into a large file
FIRST: Final = 1 << 12  # bytes fed at first, so that a bomb shows before much is fed
KEPT: Final = 20  # packed pieces kept, about 1 MiB, to have the text up to a break
MEMORY: Final = 256 << 20  # what xz may ask for; its largest preset needs 65 MiB
BROKEN: Final = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError, MemoryError)


class Engine(Protocol):
    """What the decompressors have in common."""

    @property
    def needs_input(self) -> bool:
        """Whether it has nothing left to give of what it was fed."""

    @property
    def eof(self) -> bool:
        """Whether the packing has ended."""

    @property
    def unused_data(self) -> bytes:
        """What it was fed beyond the end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to so many bytes of text, from this and what was fed before."""


class _Inflater:
    """zlib's decompressor in the manners of the others."""

    def __init__(self, bits: int) -> None:
        self._zlib, self._full = zlib.decompressobj(bits), False

    @property
    def needs_input(self) -> bool:
        return not (self._full or self._zlib.unconsumed_tail)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        text = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(text) == max_length
        return text


def kind_of(head: bytes) -> str:
    """How these bytes are packed, by how they begin; empty where they are not.

    >>> kind_of(bz2.compress(b"text")), kind_of(b"BZhang logged in")
    ('bzip2', '')
    """
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):
        return "zstd"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    return ""


def _engine(kind: str) -> Engine:
    if kind in ("gzip", "deflate"):
        return _Inflater(31 if kind == "gzip" else -15)
    makers: dict[str, Any] = {
        "bzip2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(memlimit=MEMORY),
        "zstd": zstd.ZstdDecompressor,
    }
    made: Engine = makers[kind]()
    return made


class Unpacked:
    """The text in a packed stream, all its parts one after another.

    >>> from deeplog_nb.lines.limits import Limits
    >>> from deeplog_nb.lines.streams import Piece, filled
    >>> import gzip, io
    >>> packed = gzip.compress(b"a log")
    >>> broken = Unpacked(Piece(io.BytesIO(packed), 0, len(packed) - 5), "gzip", Meter("a.gz", Limits()), "a.gz")
    >>> filled(broken, 99), broken.damage
    (b'a log', 'the gzip breaks off in the midst')
    """

    def __init__(self, inner: Stream, kind: str, meter: Meter, name: str) -> None:
        self._inner, self._kind, self._name = inner, kind, name
        self._meter = meter.inner(name, kind)
        self._ready: deque[bytes] = deque()
        self._done, self._why = False, ""
        self._input, self._at = b"", 0
        self._begin_part()

    @property
    def damage(self) -> str:
        """Why the bytes break off, once they did."""
        return self._why or self._inner.damage

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        while not self._done and (not self._ready or self._meter.doubtful):
            self._step()
        if not self._ready:
            return b""
        text = self._ready.popleft()
        if len(text) > size:
            self._ready.appendleft(text[size:])
        return text[:size]

    def _begin_part(self) -> None:
        self._engine, self._fed, self._came, self._feed = _engine(self._kind), [b""], 0, FIRST

    def _step(self) -> None:
        piece = self._next_piece() if self._engine.needs_input else b""
        if not piece and self._engine.needs_input:
            return self._end(f"the {self._kind} breaks off in the midst")
        try:
            text = self._engine.decompress(piece, OUT)
        except BROKEN as error:
            self._salvage()
            return self._end(f"the {self._kind} is broken: {str(error).lower()}")
        self._came += len(text)
        self._give(text)
        if self._engine.eof:
            self._next_part()
        return None

    def _give(self, text: bytes) -> None:
        if text:
            self._ready.append(text)
            self._meter.give(len(text))

    def _next_piece(self) -> bytes:
        if self._at == len(self._input):
            self._input, self._at = self._inner.read(CHUNK), 0
        piece = self._input[self._at : self._at + self._feed]
        self._at += len(piece)
        self._meter.taken += len(piece)
        self._feed = FIRST if self._meter.doubtful else min(self._feed * 2, CHUNK)
        if self._fed:  # an empty list: too many to keep
            self._fed = [*self._fed, piece] if len(self._fed) < KEPT else []
        return piece

    def _next_part(self) -> None:
        """Another part of the same kind may follow, or padding; anything else was written by no packer."""
        unused = len(self._engine.unused_data)
        self._at -= unused
        self._meter.taken -= unused
        if not self._skip_padding():
            return self._end("")
        if len(self._input) - self._at < 10:
            self._input, self._at = self._input[self._at :] + self._inner.read(CHUNK), 0
        if self._kind != "deflate" and kind_of(self._input[self._at : self._at + 10]) == self._kind:
            return self._begin_part()
        return self._end(f"behind the {self._kind} stand bytes that belong to none")

    def _skip_padding(self) -> bool:
        """Whether anything but zeros follows."""
        while True:
            if self._at == len(self._input):
                self._input, self._at = self._inner.read(CHUNK), 0
            if not (part := self._input[self._at : self._at + FIRST]):
                return False
            rest = part.lstrip(b"\0")
            self._at += len(part) - len(rest)
            if rest:
                return True

    def _salvage(self) -> None:
        """The text before a break that the failing call kept to itself: asked for once more, in small pieces."""
        for step in (FIRST, 1):
            try:
                self._replay(step)
            except BROKEN:
                continue

    def _replay(self, step: int) -> None:
        """The part from its beginning, its last bytes fed one by one, and so many taken at a time of what is new."""
        engine, came = _engine(self._kind), 0
        last = self._fed[-1] if self._fed else b""
        for piece in [*self._fed[:-1], *(last[at : at + 1] for at in range(len(last)))]:
            text = engine.decompress(piece, min(OUT, self._came - came) or step)
            while text:
                came += len(text)
                if came > self._came:
                    self._came = came
                    self._give(text)
                more = min(OUT, self._came - came) or step
                text = b"" if engine.needs_input else engine.decompress(b"", more)

    def _end(self, why: str) -> None:
        self._done, self._why = True, why
        if self.damage and not self._meter.given:
            raise InputError(f"{self._name}: nothing of it can be unpacked: {self.damage}; is it whole?")
