"""Which file on disk is the one we were reading, and which ones were written after it: rotated logs.

A log's name stays while the file behind it changes. A file is told by device and inode, by its first
KiB and by the last KiB before the place that was reached and before its end as it was last seen: each
alone has misled a log shipper. What is read of it is ``follow``'s matter; packed siblings are named, never
read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deeplog_nb.frames import InputError
from deeplog_nb.lines.encodings import Form
from deeplog_nb.lines.streams import CHUNK, open_file

EDGE: Final = 1 << 10  # bytes hashed at the beginning, and before the place reached
PACKED: Final = re.compile(r"\.(?:gz|bz2|xz|zst|zip|lz4)$")
ROTATED: Final = re.compile(r"^[.\-_]([0-9][0-9.\-_T:]*)$")  # what follows the name: .1, -20261123, .2026-11-23


@dataclass(frozen=True)
class Identity:
    """What tells a file from every other, as far as it was read."""

    device: int
    inode: int
    first: int  # how many of the first bytes are hashed: the file may have been shorter than 1 KiB
    head: str
    offset: int
    tail: str  # of the last KiB before the offset
    seen: int  # how large it was; what lies behind the offset was not complete
    end: str  # of the last KiB of that
    changed: int  # when it was last written to or renamed, in ns: all that is known of an empty file
    modified: int = 0  # when it was last written to, in ns; a copy is no older

    def is_in(self, file: IO[bytes]) -> bool:
        """Whether this file begins and goes on as the one we knew, as far as we saw it."""
        is_as_long = os.fstat(file.fileno()).st_size >= self.seen
        return is_as_long and self.end == _tail(file, self.seen) and self.reaches(file)

    def is_at(self, path: Path) -> bool:
        """Whether the file at this path is the one we knew, or a copy of it."""
        with suppress(InputError), open_file(path) as file:
            return self.is_in(file)
        return False

    def reaches(self, file: IO[bytes]) -> bool:
        """Whether this file begins and goes on as the one we knew, at least up to the offset."""
        if os.fstat(file.fileno()).st_size < max(self.offset, self.first):
            return False
        return self.head == _digest(file, 0, self.first) and self.tail == _tail(file, self.offset)

    def is_untouched(self, file: IO[bytes]) -> bool:
        """Whether nothing at all was done with this file since."""
        return self.is_of(file) and os.fstat(file.fileno()).st_ctime_ns == self.changed

    def is_of(self, file: IO[bytes]) -> bool:
        """Whether the system calls this file by the same number; device numbers may change when it restarts."""
        return os.fstat(file.fileno()).st_ino == self.inode


def identify(file: IO[bytes], offset: int) -> Identity:
    """The identity of an open file that has been read up to this offset."""
    facts = os.fstat(file.fileno())
    first = min(EDGE, facts.st_size)
    head, tail, end = _digest(file, 0, first), _tail(file, offset), _tail(file, facts.st_size)
    number = facts.st_dev, facts.st_ino
    return Identity(*number, first, head, offset, tail, facts.st_size, end, facts.st_ctime_ns, facts.st_mtime_ns)


def read_at(file: IO[bytes], start: int, size: int) -> bytes:
    """These bytes of a file, wherever it stands; fewer only at its end."""
    return os.pread(file.fileno(), size, start)


def lines_end(file: IO[bytes], form: Form, start: int, stop: int) -> int:
    """Where the last whole line between these bytes ends; ``start`` where none does."""
    stop -= (stop - start) % form.width
    while stop > start:
        begin = max(start, stop - CHUNK)
        if at := form.after_last_line(read_at(file, begin, stop - begin)):
            return begin + at
        stop = begin
    return start


def opened(path: Path) -> IO[bytes] | None:
    """The file at this path, open for reading; None while there is none."""
    try:
        return open_file(path)
    except InputError:
        if path.exists():
            raise
        return None


def is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether this open file is the one that bears the name."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except OSError:
        return False


def find(path: Path, known: Identity, past: Sequence[Identity] = ()) -> tuple[IO[bytes], bool] | None:
    """The known file, under its name or a sibling's, and whether it is a copy that was made before truncating it.

    The file itself goes before copies of it, of which the longest is the latest. What was empty is known by its
    number only, which may be another file's by now. Those of the ``past`` are no copies, though they may begin alike:
    of a file that holds no whole line yet a few bytes are known, and all generations may have them.
    """
    for candidate in (path, *_siblings(path)):
        with suppress(InputError):
            file = open_file(candidate)
            if known.is_in(file) and known.is_of(file):
                return file, False
            file.close()
    longest = max(copies(path, known, past), key=lambda copy: copy.stat().st_size, default=None)
    return None if longest is None else (open_file(longest), True)


def copies(path: Path, known: Identity, past: Sequence[Identity] = ()) -> list[Path]:
    """The siblings that may be copies of the known file: they begin and go on as it, and are no older."""
    found = []
    for candidate in _siblings(path):
        with suppress(InputError), open_file(candidate) as file:
            is_younger = os.fstat(file.fileno()).st_mtime_ns >= known.modified
            is_alike = known.seen > 0 and is_younger and known.is_in(file) and not known.is_of(file)
            found += [candidate] * (is_alike and not any(_is_left(each, file) for each in past))
    return found


def is_copy(file: IO[bytes], known: Identity, there: Sequence[Path]) -> bool:
    """Whether this file is a copy of the known one, which is none of those there any more."""
    return known.is_in(file) and not known.is_of(file) and not any(_is_one_of(path, [known]) for path in there)


@dataclass(frozen=True)
class Successors:
    """What was written after a file: the rotated ones in order, those that are packed, and whether it was found."""

    paths: list[Path]
    packed: list[Path]  # or not to be read for another reason
    found: bool  # among the siblings; else there may have been others, which nobody can know


def successors(path: Path, file: IO[bytes], past: Sequence[Identity] = ()) -> Successors:
    """The rotated siblings that are younger than this open file: written last after it, or of a lower number.

    Those of the ``past`` were read before; one of them that was written to since is no successor.
    """
    siblings = _all_siblings(path)
    own = next((_age(path, each) for each in siblings if is_at(each, file)), None)
    if own is None:
        return Successors([], [], False)
    rotated = [each for each in siblings if _suffix(path, each) and not is_at(each, file)]
    later = sorted((age, each) for each in rotated if (age := _age(path, each)) and age > own)
    fresh = [(each, _is_readable(each)) for _, each in later if not _is_one_of(each, past)]
    return Successors([each for each, plain in fresh if plain], [each for each, plain in fresh if not plain], True)


def _is_readable(path: Path) -> bool:
    with suppress(InputError), open_file(path):
        return not PACKED.search(path.name)
    return False


def _is_one_of(path: Path, past: Sequence[Identity]) -> bool:
    with suppress(InputError), open_file(path) as file:
        return any(_is_left(known, file) for known in past)
    return False


def _is_left(known: Identity, file: IO[bytes]) -> bool:
    return known.seen > 0 and known.is_of(file) and known.is_in(file)


def _age(path: Path, sibling: Path) -> tuple[int, int, str] | None:
    """A key that grows with the time of the last write; of equal ones the lower number, or later date, is younger."""
    suffix = _suffix(path, sibling)
    number = -int(suffix) if suffix.isdigit() and len(suffix) <= 3 else 0
    try:
        return sibling.stat().st_mtime_ns, number, suffix
    except OSError:  # it was just renamed or removed
        return None


def _suffix(path: Path, sibling: Path) -> str:
    """The number or date that a rotated file's name ends with; empty for any other file."""
    found = ROTATED.match(PACKED.sub("", sibling.name)[len(path.name) :])
    return found[1] if found else ""


def _siblings(path: Path) -> Iterator[Path]:
    """The files beside this one whose names begin with its name, without the packed ones."""
    return (each for each in _all_siblings(path) if not PACKED.search(each.name))


def _all_siblings(path: Path) -> list[Path]:
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    return [path.parent / name for name in sorted(names) if name.startswith(path.name) and name != path.name]


def _digest(file: IO[bytes], start: int, size: int) -> str:
    return hashlib.sha256(read_at(file, start, size)).hexdigest()


def _tail(file: IO[bytes], offset: int) -> str:
    begin = max(0, offset - EDGE)
    return _digest(file, begin, offset - begin)
