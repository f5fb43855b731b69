"""One file that is still being written -> the records of it that are complete, and proof that it is still the same.

It reads, cuts and waits; what is done when the file is another one all of a sudden is ``follow``'s matter.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from deeplog_nb.lines.archives import Opened
from deeplog_nb.lines.blocks import BLOCK, blocks_from, split_lines
from deeplog_nb.lines.encodings import SNIFFED, Form, form_of
from deeplog_nb.lines.files import Source
from deeplog_nb.lines.generations import Identity, identify, lines_end, opened, read_at
from deeplog_nb.lines.growing import Growing
from deeplog_nb.lines.layouts import Layout, layouts
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.places import Place, to_json
from deeplog_nb.lines.read import beginning, told_layout
from deeplog_nb.lines.records import Before, cut
from deeplog_nb.lines.streams import Peekable, Piece

ENOUGH: Final = 20  # lines to tell a layout by
KEPT: Final = 8  # generations before and behind this one that are known again
PATIENCE: Final = 60.0  # s for which fewer lines that fit no layout are not yet taken for bare text


@dataclass(frozen=True)
class Wanted:
    """How a log is to be followed."""

    path: Path
    layout: Layout | None  # None: it is to be told
    year: int | None  # of the first generation's first record; of later ones the file's own date tells it
    limits: Limits
    settle: float  # s of silence after which a record that waits is complete


class Unfinished:
    """An open file, how far it was read, and what it looked like then."""

    def __init__(self, file: IO[bytes], place: Place, wanted: Wanted, now: float) -> None:
        self.file, self.place, self.wanted = file, place, wanted
        self.known = identify(file, place.end)
        self.position: dict[str, Any] = to_json(place, identify(file, place.offset))
        self.size, self.away, self._changed = 0, False, now
        self._seen: float | None = None  # when the first bytes were
        self._untold = -1  # where the lines ended that did not tell their layout
        self._scanned = self._whole = 0  # where the last whole line ends among the bytes that were looked through

    def measure(self, now: float) -> int:
        """How large it is."""
        before, self.size = self.size, os.fstat(self.file.fileno()).st_size
        if self.size != before:
            self._changed = now
        if self._seen is None and self.size:
            self._seen = now
        return self.size

    def turn_away(self, now: float) -> None:
        """Another file bears the name now, or none; whoever still writes here has as long as a record waits."""
        if not self.away:
            self.away, self._changed = True, now
        if seen := _seen(self.wanted.path):
            ahead = self.place.ahead
            before = ahead[:-1] if ahead and ahead[-1].is_at(self.wanted.path) else ahead
            self.place = replace(self.place, ahead=(*before, seen)[-KEPT:])
            self.position = {**self.position, "ahead": [asdict(each) for each in self.place.ahead]}

    def is_quiet(self, now: float) -> bool:
        """Whether nothing came for as long as a record waits."""
        return now - self._changed >= self.wanted.settle

    def read(self, now: float) -> tuple[list[pl.DataFrame], bool] | None:
        """The records that the next block of lines completes, and whether more lines are there; None: it is another."""
        place = self._begun(now)
        records: list[pl.DataFrame] = []
        stop = self._lines_end(place)
        if place.growing and stop > place.end:
            place, records = self._next_block(place, stop)
        return (records, place.end < stop) if self._accept(place) else None

    def settled(self) -> list[pl.DataFrame]:
        """The record that waits, if any: nothing came that would continue it."""
        place, records = _settled(self.place)
        return records if not records or self._accept(place) else []

    def finish(self, now: float) -> list[pl.DataFrame] | None:
        """All that is left: the unfinished last line too, for no one writes here any more; None: it is another."""
        place = self._begun(now, last=True)
        records: list[pl.DataFrame] = []
        if place.growing and self.size > place.end:
            place, records = self._next_block(place, self.size)
        place, last = _settled(place)
        return records + last if self._accept(place) else None

    def _accept(self, place: Place) -> bool:
        """Go on from this place, if all that was read is of the file that we know: else it never happened.

        Looked at after reading: a file that was overwritten meanwhile cannot become the old one again.
        """
        known, begin = identify(self.file, place.end), identify(self.file, place.offset)
        if not self.known.is_in(self.file):
            return False
        if place is not self.place or known != self.known:
            self.place, self.known, self.position = place, known, to_json(place, begin)
        return True

    def _begun(self, now: float, *, last: bool = False) -> Place:
        """The place with the file's encoding and layout, once enough is there to tell them, or no more will come."""
        place, waited = self.place, now - (now if self._seen is None else self._seen)
        if place.growing or not self.size or (self.size < SNIFFED and waited < self.wanted.settle and not last):
            return place
        form = form_of(read_at(self.file, 0, SNIFFED), str(self.wanted.path))
        end = self.size if last else lines_end(self.file, form, len(form.mark), self.size)
        if end <= len(form.mark) or not (layout := self._layout(form, end, PATIENCE if last else waited)):
            return place
        year = self.wanted.year if place.generation == 1 else None
        before = beginning(os.fstat(self.file.fileno()).st_mtime) if year is None else Before(year)
        growing = Growing(layout, before, self.wanted.limits.record)
        return replace(place, form=form, growing=growing, end=len(form.mark), layout=layout)

    def _layout(self, form: Form, end: int, waited: float) -> Layout | None:
        """The layout that was named, or told before, or that the first lines tell; None where they are too few."""
        asked = self.wanted.layout
        if known := self.place.layout or (asked if asked and not asked.is_json else None):
            return known
        few = read_at(self.file, 0, min(end, BLOCK)).count(form.newline) < ENOUGH and waited < PATIENCE
        if few and (waited < self.wanted.settle or end == self._untold):
            return None
        self._untold = end
        stream = Peekable(Piece(self.file, 0, end))
        told = told_layout(Opened(Source(self.wanted.path), stream, 0.0, self.wanted.limits), asked, None)
        return None if few and (told is None or told.kind == "text") else told or layouts()["text"]

    def _lines_end(self, place: Place) -> int:
        """Where the last whole line ends; only what was not looked through before is."""
        if place.form is None:
            return place.end
        start = max(place.end, self._scanned)
        whole = lines_end(self.file, place.form, start, self.size)
        self._whole = whole if whole > start else self._whole
        self._scanned = self.size - (self.size - start) % place.form.width
        return max(self._whole, place.end)

    def _next_block(self, place: Place, stop: int) -> tuple[Place, list[pl.DataFrame]]:
        assert place.form
        assert place.growing
        stream = Peekable(Piece(self.file, place.end, stop - place.end))
        block = next(blocks_from(stream, place.form, place.end, self.wanted.limits.record))
        records, growing = place.growing.push(cut(split_lines(block), place.growing.layout))
        return replace(place, growing=growing, end=place.end + block.size), [records]


def _settled(place: Place) -> tuple[Place, list[pl.DataFrame]]:
    """The place with no record waiting, and the one that did."""
    if not place.growing or not place.growing.waits:
        return place, []
    records, growing = place.growing.settle()
    return replace(place, growing=growing), [records]


def _seen(path: Path) -> Identity | None:
    """The file of this name as it stands; None while there is none, or it is empty."""
    if (file := opened(path)) is None:
        return None
    with file:
        size = os.fstat(file.fileno()).st_size
        return identify(file, size) if size else None
