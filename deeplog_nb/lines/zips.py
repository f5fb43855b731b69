"""A zip -> its files, in the order in which they stand, by its directory, each with the bytes that it claims.

Python's own reader takes the directory's word for everything; this one refuses overlapping files,
sizes that only a bomb has, and more files than the limit before it has read them.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

from deeplog_nb.frames import InputError
from deeplog_nb.lines.limits import FREE, TIGHT, Limits, Meter, bomb
from deeplog_nb.lines.packed import Unpacked
from deeplog_nb.lines.streams import Piece, Stream

END: Final = struct.Struct("<4s4H2LH")
END64: Final = struct.Struct("<4sQ2H2L4Q")
ENTRY: Final = struct.Struct("<4s4B4HL2L5H2L")
LOCAL: Final = 30
METHODS: Final = {0: "stored", 8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}


@dataclass(frozen=True)
class Entry:
    """What a zip's directory says of one of its files."""

    name: str
    method: int
    encrypted: bool
    modified: float
    crc: int
    packed: int
    size: int
    offset: int
    link: bool

    @property
    def is_file(self) -> bool:
        """Whether it is a file, neither folder nor link."""
        return not (self.link or self.name.endswith("/"))


class Checked:
    """A zip's member as it comes out, held against the size and checksum that the directory states."""

    def __init__(self, inner: Stream, entry: Entry) -> None:
        self._inner, self._entry, self._why = inner, entry, ""
        self._came = self._sum = 0

    @property
    def damage(self) -> str:
        """Why the bytes break off, once they did."""
        return self._why or self._inner.damage

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        data = self._inner.read(size)
        self._came += len(data)
        self._sum = zlib.crc32(data, self._sum)
        beyond = self._came > self._entry.size
        if beyond or (not data and (self._came, self._sum) != (self._entry.size, self._entry.crc)):
            self._why = self._why or "its bytes are not those that the zip's directory speaks of"
        return b"" if beyond else data


def is_zip(head: bytes) -> bool:
    r"""Whether a zip begins like this.

    >>> is_zip(b"PK\3\4...")
    True
    """
    return head.startswith((b"PK\3\4", b"PK\5\6"))


def zip_entries(file: IO[bytes], name: str, limits: Limits) -> list[Entry]:
    """The files that the directory names, by where they stand; refused where the whole can only be a bomb."""
    size = file.seek(0, 2)
    start, end, shift = _directory(file, size, name)
    entries = sorted(_read_directory(file, start, end, name, limits), key=lambda entry: entry.offset)
    stops = [entry.offset + LOCAL + entry.packed for entry in entries]
    if any(stop > then for stop, then in zip(stops, [*(e.offset for e in entries[1:]), start - shift], strict=False)):
        raise InputError(f"{name}: its files lie over one another, as no zip program writes them; it is not read")
    _refuse_bomb(entries, name, limits)
    return [Entry(**{**vars(entry), "offset": entry.offset + shift}) for entry in entries if entry.is_file]


def zip_member(file: IO[bytes], entry: Entry, name: str, meter: Meter, *, spooled: bool) -> Stream:
    """The bytes of one file in the zip, unpacked."""
    file.seek(entry.offset)
    head = file.read(LOCAL)
    if entry.encrypted:
        raise InputError(f"{name}: is encrypted, and we ask for no passwords; unpack it and read the file itself")
    if len(head) < LOCAL or not head.startswith(b"PK\3\4"):
        raise InputError(
            f"{name}: does not begin at byte {entry.offset:,}, where the zip's directory says; is it whole?"
        )
    start = entry.offset + LOCAL + sum(struct.unpack("<2H", head[26:30]))
    piece = Piece(file, start, entry.packed, None if spooled else meter)
    kind = METHODS.get(entry.method)
    if kind is None:
        raise InputError(f"{name}: is packed by method {entry.method}, which we cannot read; pack it with deflate")
    return Checked(piece if kind == "stored" else Unpacked(piece, kind, meter, name), entry)


def _directory(file: IO[bytes], size: int, name: str) -> tuple[int, int, int]:
    """Where the directory begins and ends, and by how much all offsets are off."""
    tail_at = max(size - END.size - 0xFFFF, 0)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < END.size:
        raise InputError(f"{name}: its directory, which stands at the end of a zip, is not there; is the file whole?")
    *_, length, offset, comment = END.unpack_from(tail, at)
    end = tail_at + at
    if len(tail) - at - END.size > comment:
        raise InputError(f"{name}: bytes stand behind the end of the zip; is it one zip, and whole?")
    if wide := _wide_directory(file, end):
        length, offset, end = wide
    if length > end or offset > end - length:
        raise InputError(f"{name}: its directory is not where it should be; is the file whole?")
    return end - length, end, end - length - offset


def _wide_directory(file: IO[bytes], end: int) -> tuple[int, int, int] | None:
    at = end - 20 - END64.size
    if at < 0:
        return None
    file.seek(at)
    head = file.read(END64.size + 4)
    if not head.startswith(b"PK\6\6") or not head.endswith(b"PK\6\7"):
        return None
    *_, length, offset = END64.unpack(head[: END64.size])
    return length, offset, at


def _read_directory(file: IO[bytes], start: int, end: int, name: str, limits: Limits) -> Iterator[Entry]:
    file.seek(start)
    data = file.read(min(end - start, limits.members * 512))  # names are shorter than this on average
    at = count = 0
    while at < end - start:
        if (count := count + 1) > limits.members or (at >= len(data) and len(data) < end - start):
            raise InputError(
                f"{name}: holds more than {limits.members:,} files; if you trust it, raise the limit: "
                f"read it with limits=dl.Limits(members={limits.members * 10})"
            )
        if at + ENTRY.size > len(data) or data[at : at + 4] != b"PK\1\2":
            raise InputError(f"{name}: its directory cannot be read at byte {start + at:,}; is the file whole?")
        entry, length = _entry(data, at)
        yield entry
        at += length


def _entry(data: bytes, at: int) -> tuple[Entry, int]:
    found = ENTRY.unpack_from(data, at)
    (
        _,
        _,
        system,
        _,
        _,
        flags,
        method,
        clock,
        day,
        crc,
        packed,
        size,
        n_name,
        n_extra,
        n_comment,
        *_,
        attributes,
        offset,
    ) = found
    raw = data[at + ENTRY.size : at + ENTRY.size + n_name]
    extra = data[at + ENTRY.size + n_name : at + ENTRY.size + n_name + n_extra]
    size, packed, offset = _wide(extra, [size, packed, offset])
    entry = Entry(
        name=raw.decode("utf-8" if flags & 0x800 else "cp437", "backslashreplace"),
        method=method,
        encrypted=bool(flags & 1),
        modified=_moment(day, clock),
        crc=crc,
        packed=packed,
        size=size,
        offset=offset,
        link=system == 3 and stat.S_ISLNK(attributes >> 16),
    )
    return entry, ENTRY.size + n_name + n_extra + n_comment


def _wide(extra: bytes, numbers: list[int]) -> list[int]:
    """Sizes and offset, those that did not fit 32 bits from the extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = iter(
                struct.unpack(f"<{min(length, len(extra) - at - 4) // 8}Q", extra[at + 4 : at + 4 + length // 8 * 8])
            )
            return [next(wide, number) if number == 0xFFFFFFFF else number for number in numbers]
        at += 4 + length
    return numbers


def _moment(day: int, clock: int) -> float:
    try:
        date = (1980 + (day >> 9), day >> 5 & 15, day & 31)
        return datetime(*date, clock >> 11, clock >> 5 & 63, clock * 2 & 63).timestamp()
    except (ValueError, OverflowError):
        return 0


def _refuse_bomb(entries: list[Entry], name: str, limits: Limits) -> None:
    """The directory states every size: a zip that is too much of one is refused before it is unpacked."""
    groups = [[entry] for entry in entries if entry.size > FREE] + [entries]
    for group in groups:
        given, taken = sum(entry.size for entry in group), sum(entry.packed for entry in group)
        allowed = sum(entry.packed * limits.ratio * TIGHT.get(METHODS.get(entry.method, ""), 1) for entry in group)
        if given > FREE and given > allowed:
            raise bomb(name, given, taken, max(allowed // max(taken, 1), 1), limits)
