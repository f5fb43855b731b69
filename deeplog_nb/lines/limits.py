"""How much of a hostile or broken file we are ready to read, and how to raise it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a log may be like before it is cut or refused; pass your own to ``read`` to raise one.

    >>> Limits(record=16 << 20).record
    16777216
    """

    record: int = 1 << 20  # bytes of one record; of a longer one the head is kept, and its length
