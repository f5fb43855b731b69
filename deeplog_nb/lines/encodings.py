"""How a text is written: UTF-8, UTF-16 or UTF-32, by its mark or its zeros; and whether it is text at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from deeplog_nb.frames import InputError

SNIFFED: Final = 1 << 12
MARKS: Final = {  # UTF-32 first: its little-endian mark begins with that of UTF-16
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
BINARY: Final = {  # what people point at by mistake
    b"\x7fELF": "a program (ELF)",
    b"MZ\x90": "a program (Windows)",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"%PDF-": "a PDF",
    b"SQLite format 3\0": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a NumPy array",
    b"7z\xbc\xaf": "a 7-Zip archive, which we cannot open",
    b"Rar!\x1a": "a RAR archive, which we cannot open",
    b"\x1f\x9d": "packed by compress, which we cannot open",
    b"\x04\x22\x4d\x18": "packed by LZ4, which we cannot open",
    b"LPKSHHRH": "a systemd journal; export it with journalctl -o json",
    b"ElfFile\0": "a Windows event log; export it to CSV",
}
CONTROLS: Final = np.array([code < 32 and code not in b"\0\a\b\t\n\v\f\r\x1b" for code in range(256)])
MANY: Final = 16  # so many control characters, and more than 5 % of all, are no accident


@dataclass(frozen=True)
class Form:
    """An encoding, the mark that says so, and where its lines end."""

    encoding: str
    mark: bytes = b""

    @property
    def width(self) -> int:
        """Bytes of a unit: nothing shorter is ever cut."""
        return {"utf-8": 1, "utf-16": 2, "utf-32": 4}[self.encoding[:6].rstrip("-")]

    @property
    def newline(self) -> bytes:
        """What ends a line."""
        return "\n".encode(self.encoding)

    def find(self, data: bytes, start: int = 0) -> int:
        """Where the first newline from there on stands, at a whole unit; -1 where none does."""
        at = data.find(self.newline, start)
        while at >= 0 and at % self.width:
            at = data.find(self.newline, at + 1)
        return at

    def find_last(self, data: bytes, start: int = 0, stop: int | None = None) -> int:
        """Where the last newline between these stands, at a whole unit; -1 where none does."""
        at = data.rfind(self.newline, start, len(data) if stop is None else stop)
        while at >= 0 and at % self.width:
            at = data.rfind(self.newline, start, at + len(self.newline) - 1)
        return at

    def after_last_line(self, data: bytes) -> int:
        """Where the last whole line ends; 0 where none does."""
        at = self.find_last(data)
        return at + self.width if at >= 0 else 0

    def head(self, data: bytes, size: int) -> bytes:
        """At most so many of the first bytes, cut between characters."""
        head = data[: size - size % self.width]
        if self.width > 1:
            return head
        lead = next((back for back in range(1, min(4, len(head)) + 1) if head[-back] & 0xC0 != 0x80), 0)
        needs = 1 + sum(head[-lead] >= least for least in (0xC0, 0xE0, 0xF0)) if lead else 0
        return head[:-lead] if lead and needs > lead else head


def form_of(head: bytes, name: str) -> Form:
    r"""The encoding of a text that begins like this; an error that says what it is where it is none.

    >>> form_of("a log".encode("utf-16"), "a.log")
    Form(encoding='utf-16-le', mark=b'\xff\xfe')
    >>> form_of(b"\x7fELF...", "a.out")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: a.out: is a program (ELF), not text; ...
    """
    if told := next((what for magic, what in BINARY.items() if head.startswith(magic)), ""):
        raise InputError(f"{name}: is {told}, not text; name the files that hold the log")
    for mark, encoding in MARKS.items():
        if head.startswith(mark) and (encoding == "utf-8" or b"\0" in head or head == mark):  # else two bytes gone bad
            return Form(encoding, mark)
    if encoding := _unmarked(head):
        return Form(encoding)
    controls = int(CONTROLS[np.frombuffer(head, np.uint8)].sum())
    if controls > max(MANY, len(head) // 20):
        raise InputError(
            f"{name}: is no text ({controls} of its first {len(head):,} bytes are control characters); "
            "name the files that hold the log"
        )
    return Form("utf-8")


def _unmarked(head: bytes) -> str:
    """UTF-16 that does not say so: of its pairs nearly all hold one zero, always on the same side."""
    pairs = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2) == 0
    if len(pairs) < 8:
        return ""
    first, second = pairs.mean(axis=0)
    if max(first, second) < 0.7 or min(first, second) > 0.05:
        return ""
    return "utf-16-be" if first > second else "utf-16-le"
