"""A tar's bytes -> its regular files, one after another in one pass.

Headers only: nothing is written to disk, links are not followed, names are labels. Python's own
reader keeps every header and seeks; this one needs neither, and says where an archive breaks off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from deeplog_nb.frames import InputError
from deeplog_nb.lines.streams import CHUNK, Peekable, filled

UNIT: Final = 512
FILES: Final = (b"0", b"\0", b"7")
EMPTY: Final = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders: no bytes follow
MOST: Final = 1 << 20  # bytes of a header's extension


@dataclass(frozen=True)
class Header:
    """What a tar says of one of its files."""

    name: str = ""
    size: int = 0
    modified: float = 0


class _BrokenError(Exception):
    """The archive cannot be followed further."""


class TarMember:
    """The bytes of one file in a tar. Its end is also where we learn whether the archive goes on."""

    def __init__(self, tar: Peekable, header: Header) -> None:
        self.damage = ""
        self.following: Header | None = None
        self._tar, self._left, self._header, self._over = tar, header.size, header, False

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end."""
        data = self._tar.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        if not data and not self._over:
            self._over = True
            self._look_on()
        return data

    def _look_on(self) -> None:
        try:
            if self._left:
                raise _BrokenError(self._tar.damage or "the tar breaks off in the midst of a file")
            _skip(self._tar, -self._header.size % UNIT)
            self.following = next_header(self._tar)
        except _BrokenError as broken:
            self.damage = str(broken)


def is_tar(head: bytes) -> bool:
    """Whether these are the first 512 bytes of a tar, by their checksum.

    >>> is_tar(bytes(512))
    False
    """
    if len(head) < UNIT or not head[0]:
        return False
    try:
        return _number(head[148:156]) == sum(head[:UNIT]) - sum(head[148:156]) + 8 * ord(" ")
    except _BrokenError:
        return False


def tar_members(tar: Peekable, name: str, most: int) -> Iterator[tuple[Header, TarMember]]:
    """Each regular file of the tar with a stream of its bytes, which is spent when the next is asked for.

    >>> from deeplog_nb.lines.streams import Piece
    >>> import io, tarfile
    >>> made = io.BytesIO()
    >>> with tarfile.open(fileobj=made, mode="w") as archive:
    ...     info = tarfile.TarInfo("a.log")
    ...     info.size = 5
    ...     archive.addfile(info, io.BytesIO(b"a log"))
    >>> [(head.name, each.read(9)) for head, each in tar_members(Peekable(Piece(made, 0, 9999)), "a.tar", 9)]
    [('a.log', b'a log')]
    """
    try:
        header = next_header(tar)
    except _BrokenError as broken:
        raise InputError(f"{name}: none of its files can be read: {broken}; is it whole?") from broken
    count = 0
    while header:
        if (count := count + 1) > most:
            raise InputError(
                f"{name}: holds more than {most:,} files; if you trust it, raise the limit: "
                f"read it with limits=dl.Limits(members={most * 10})"
            )
        member = TarMember(tar, header)
        yield header, member
        while member.read(CHUNK):
            pass
        header = member.following


def next_header(tar: Peekable) -> Header | None:
    """The header of the next regular file, its name and size from the extensions before it; none at the end."""
    said: dict[str, str] = {}
    ended = False
    while head := filled(tar, UNIT):
        if not head.strip(b"\0"):
            ended = True
            continue
        if not is_tar(head):
            raise _BrokenError(tar.damage or "bytes stand in the tar where a file should begin")
        ended, kind, header = False, head[156:157], _header(head)
        if kind in (b"x", b"L"):
            said |= _extension(filled(tar, _small(header.size)), kind)
            _skip(tar, -header.size % UNIT)
        elif kind in EMPTY or (kind in FILES and said.get("path", header.name).endswith("/")):
            said = {}
        elif kind in FILES:
            return _there(tar, _overruled(header, said))
        elif kind == b"S":
            raise InputError(f"{header.name}: is stored with holes; unpack its archive and read the file itself")
        else:
            _skip(tar, header.size + -header.size % UNIT)
    if tar.damage or not ended:
        raise _BrokenError(tar.damage or "the tar ends without its end mark")
    return None


def _header(head: bytes) -> Header:
    name = head[:100].split(b"\0")[0]
    if head[257:263] == b"ustar\0" and (prefix := head[345:500].split(b"\0")[0]):
        name = prefix + b"/" + name
    return Header(name.decode("utf-8", "backslashreplace"), _number(head[124:136]), _number(head[136:148]))


def _number(text: bytes) -> int:
    """Octal digits, or where they did not suffice a number in bytes."""
    if text[0] == 0x80:
        return int.from_bytes(text[1:], "big")
    digits = text.split(b"\0")[0].strip()
    if digits.strip(b"01234567"):
        raise _BrokenError("a number in the tar cannot be read")
    return int(digits or b"0", 8)


def _small(size: int) -> int:
    if size > MOST:
        raise _BrokenError(f"a header of the tar claims {size:,} bytes")
    return size


def _extension(data: bytes, kind: bytes) -> dict[str, str]:
    """What a header before the header says: a long name, or the records of pax."""
    if kind == b"L":
        return {"path": data.split(b"\0")[0].decode("utf-8", "backslashreplace")}
    said, at = {}, 0
    while at < len(data) and (size := data[at : at + 8].split(b" ")[0]).isdigit() and int(size) > len(size) + 1:
        key, _, value = data[at + len(size) + 1 : at + int(size) - 1].partition(b"=")
        said[key.decode("utf-8", "replace")] = value.decode("utf-8", "backslashreplace")
        at += int(size)
    return said


def _overruled(header: Header, said: dict[str, str]) -> Header:
    if "GNU.sparse.major" in said or "GNU.sparse.size" in said:
        raise InputError(f"{header.name}: is stored with holes; unpack its archive and read the file itself")
    size = said.get("size", "")
    return replace(header, name=said.get("path", header.name), size=int(size) if _is_number(size) else header.size)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _there(tar: Peekable, header: Header) -> Header:
    """The header, where at least a byte of its file is there too."""
    if header.size and not tar.peek(1):
        raise _BrokenError(tar.damage or f"the tar breaks off before {header.name}")
    return header


def _skip(tar: Peekable, size: int) -> None:
    while size and (data := tar.read(min(size, CHUNK))):
        size -= len(data)
