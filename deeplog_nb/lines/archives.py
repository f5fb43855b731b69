"""A source -> its texts, opened one after another: files as they are, packed ones, members of archives.

What a file is, its content tells, not its name. An archive is passed through once, from its beginning
to its end: each text is there to be read until the next is asked for. Nothing is written under a
member's name; names are labels only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import IO, Final

from deeplog_nb.frames import InputError
from deeplog_nb.lines.files import Source
from deeplog_nb.lines.limits import Limits, Meter
from deeplog_nb.lines.packed import Unpacked, kind_of
from deeplog_nb.lines.streams import CHUNK, Peekable, PlainFile, Stream, open_file
from deeplog_nb.lines.tars import UNIT, is_tar, tar_members
from deeplog_nb.lines.zips import is_zip, zip_entries, zip_member

IN_MEMORY: Final = 16 << 20  # of a zip within an archive, which has to be sought in; a larger one is put on disk
SHOWN: Final = 5
LATEST: Final = 1 << 34  # seconds; no file was written after the year 2514, whatever its archive says


@dataclass(frozen=True)
class Opened:
    """A text that is open for reading: whose it is, its bytes, and when it was last written."""

    source: Source
    stream: Peekable
    modified: float
    limits: Limits


def open_texts(sources: Iterable[Source], limits: Limits) -> Generator[Opened, None, None]:
    """The texts of these sources, each open until the next is asked for.

    >>> from deeplog_nb.resources import shipped
    >>> [each.stream.peek(4) for each in open_texts([Source(shipped("datasets", "hdfs", "hdfs.log.gz"))], Limits())]
    [b'2603']
    """
    for source in sources:
        with open_file(source.path) as file:
            meter = Meter(str(source.path), limits)
            plain = PlainFile(source.path, file, meter)
            yield from _Walk(source, limits, meter).texts(plain, os.fstat(file.fileno()).st_mtime)


class _Walk:
    """The way through one file and all that it holds."""

    def __init__(self, source: Source, limits: Limits, meter: Meter) -> None:
        self._source, self._limits, self._meter = source, limits, meter
        self._names: dict[str, int] = {}

    def texts(self, file: PlainFile, modified: float) -> Iterator[Opened]:
        """All of them that the source names."""
        found = 0
        for opened in self._within(Peekable(file), "", modified, 0):
            found += 1
            yield opened
        if not found:
            names = ", ".join(list(self._names)[:SHOWN]) + (", ..." if len(self._names) > SHOWN else "")
            what = f"none of its {len(self._names):,} members is called so; there are: {names}"
            raise InputError(f"{self._source}: {what if self._names else 'holds no files'}; name another")

    def _within(self, stream: Peekable, name: str, modified: float, depth: int) -> Iterator[Opened]:
        label = str(Source(self._source.path, name))
        head = stream.peek(UNIT)
        kind = kind_of(head)
        if (kind or is_zip(head) or is_tar(head)) and depth >= self._limits.nesting:
            raise InputError(
                f"{label}: is packed more than {depth} times over; if you trust it, raise the limit: "
                f"read it with limits=dl.Limits(nesting={depth * 2})"
            )
        if kind:
            inner = Unpacked(stream, kind, self._meter, label)
            yield from self._within(Peekable(inner), name, modified, depth + 1)
        elif is_zip(head):
            yield from self._in_zip(stream, name, depth)
        elif is_tar(head):
            for header, member in tar_members(stream, label, self._limits.members):
                yield from self._member(member, name, header.name, header.modified, depth)
        elif text := self._wanted(name):
            yield Opened(text, stream, min(max(modified, 0), LATEST), self._limits)

    def _in_zip(self, stream: Peekable, name: str, depth: int) -> Iterator[Opened]:
        label, spooled = str(Source(self._source.path, name)), not isinstance(stream.inner, PlainFile)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as store:
            file = stream.inner.file if isinstance(stream.inner, PlainFile) else _spool(stream, store)
            for entry in zip_entries(file, label, self._limits):
                if not entry.encrypted or self._matches(_join(name, entry.name)):
                    inner = str(Source(self._source.path, _join(name, entry.name)))
                    member = zip_member(file, entry, inner, self._meter, spooled=spooled)
                    yield from self._member(member, name, entry.name, entry.modified, depth)

    def _member(self, stream: Stream, within: str, name: str, modified: float, depth: int) -> Iterator[Opened]:
        plain = name.removeprefix("./")
        if not plain.rpartition("/")[2].startswith("."):  # hidden, as files in folders are
            yield from self._within(Peekable(stream), _join(within, plain), modified, depth + 1)

    def _wanted(self, name: str) -> Source | None:
        """The source of a text, if it is asked for; the second member of a name is told apart by a number."""
        times = self._names[name] = self._names.get(name, 0) + 1
        numbered = name if times == 1 else f"{name}#{times}"
        return Source(self._source.path, numbered) if self._matches(name) or numbered == self._source.member else None

    def _matches(self, name: str) -> bool:
        """Whether the source names this member, a folder or an archive around it, or all of them."""
        asked = self._source.member
        within = name.startswith((asked.rstrip("/") + "/", asked + "!"))
        return not asked or within or name == asked or fnmatchcase(name, asked)


def _join(within: str, name: str) -> str:
    return f"{within}!{name}" if within else name


def _spool(stream: Peekable, store: tempfile.SpooledTemporaryFile[bytes]) -> IO[bytes]:
    while data := stream.read(CHUNK):
        store.write(data)
    return store
