"""How much of a hostile or broken file we are ready to read, how to raise it, and the count that is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from deeplog_nb.frames import InputError

FREE: Final = 64 << 20  # bytes that anything may unpack to, whatever its ratio
TIGHT: Final = {"bzip2": 4, "xz": 4, "zstd": 4}  # these pack the same honest log so many times tighter than gzip


@dataclass(frozen=True)
class Limits:
    """What a log may be like before it is cut or refused; pass your own to ``read`` to raise one.

    >>> Limits(record=16 << 20).record
    16777216
    """

    record: int = 1 << 20  # bytes of one record; of a longer one the head is kept, and its length
    ratio: int = 500  # text to packed bytes beyond the first 64 MiB; four times as much for xz, bzip2 and zstandard
    total: int = 1 << 40  # bytes that one file may unpack to, all its members together
    nesting: int = 5  # packings and archives around a text: a gzip in a tar.gz is three
    members: int = 100_000  # of one archive

    def __post_init__(self) -> None:
        """Refuse what no file could keep to."""
        if low := [name for name, value in vars(self).items() if value < 1]:
            raise InputError(f"limits are whole numbers from 1 on; {', '.join(low)} is not")


class Meter:
    """Bytes that went into a packing and that came out of it; says stop where that is a bomb."""

    def __init__(self, name: str, limits: Limits, kind: str = "", whole: Meter | None = None) -> None:
        self.taken = self.given = 0
        self._name, self._limits, self._whole = name, limits, whole
        self._ratio = limits.ratio * TIGHT.get(kind, 1)

    def inner(self, name: str, kind: str) -> Meter:
        """A meter for one packing in this file; what comes out of it counts for both."""
        self._ratio = max(self._ratio, self._limits.ratio * TIGHT.get(kind, 1))
        return Meter(name, self._limits, kind, self)

    @property
    def doubtful(self) -> bool:
        """Whether this may yet prove a bomb; until that is known no text should be used, for rows are larger."""
        return self.given <= FREE and self.given * 2 > self._ratio * self.taken

    def give(self, size: int) -> None:
        """Count bytes that came out."""
        self.given += size
        if self.given > max(FREE, self._ratio * self.taken):
            raise bomb(self._name, self.given, self.taken, self._ratio, self._limits)
        if self.given > self._limits.total:
            raise InputError(
                f"{self._name}: unpacks to more than {self._limits.total:,} bytes; if you trust it, raise the limit: "
                f"read it with limits=dl.Limits(total={self._limits.total * 4})"
            )
        if self._whole:
            self._whole.give(size)


def bomb(name: str, given: int, taken: int, ratio: int, limits: Limits) -> InputError:
    """The error for what unpacks to more than a log does.

    >>> print(bomb("a.gz", 90_000_000, 90_000, 500, Limits()))
    a.gz: unpacks to 1,000 times its size (90,000,000 bytes so far, from 90,000), where 500 is the limit; ...
    """
    times = given / max(taken, 1)
    return InputError(
        f"{name}: unpacks to {times:,.0f} times its size ({given:,} bytes so far, from {taken:,}), where {ratio} is "
        f"the limit; no log we know packs so tightly. If you trust it, raise the limit: "
        f"read it with limits=dl.Limits(ratio={int(limits.ratio * times / ratio) * 2 + 1})"
    )
