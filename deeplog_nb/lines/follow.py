"""A log that grows -> LINES of what is complete since the last look, through rotation, truncation and restarts.

The same records as ``read`` gives of the same bytes; only a record whose continuation comes later than
``settle`` seconds is given in two. Where lines may have been lost that is said, as a :class:`Gap`.
Packed files are not read. It never sleeps and never writes: whoever polls it keeps its position.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from deeplog_nb.frames import LINES
from deeplog_nb.lines.fields import check_samples, own_names
from deeplog_nb.lines.generations import Identity, Successors, copies, find, is_at, is_copy, opened, successors
from deeplog_nb.lines.layouts import Layout, check_layout, layout_named
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.places import Place, from_json
from deeplog_nb.lines.read import WRONG, fitting
from deeplog_nb.lines.unfinished import KEPT, Unfinished, Wanted

COPIED: Final = "it is a copy, or may be, made before the log was truncated; lines written between the two are lost"
SKIPPED: Final = "the file that took its name was truncated or removed before it was read"
SHORTENED: Final = "what was not complete yet was cut off or overwritten"
EMPTY: Final = "it was empty when last seen, and may have been replaced since"
BEGUN: Final = "no whole line of it was seen, and a file that begins alike may have taken its place"
LATE: Final = "lines were written to it after another file had taken its name"


@dataclass(frozen=True)
class Gap:
    """Lines that may have been lost: from this byte of this generation up to the next one, and why."""

    file: str
    generation: int
    offset: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}: lines may be missing after byte {self.offset:,}: {self.why}"


@dataclass(frozen=True)
class Arrival:
    """What a poll gave: LINES with their ``generation``, gaps, where to go on, and whether to poll again at once."""

    lines: pl.DataFrame
    gaps: tuple[Gap, ...]
    position: dict[str, Any] | None  # JSON; None while there is no file yet
    more: bool


class Follower:
    r"""A log that is being written, followed from its beginning or from a position.

    ``poll`` gives what is complete. A record ends at its newline, one that further lines may continue when the
    next begins or nothing came for ``settle`` seconds; an unfinished last line waits. When another file takes
    the name, the old one is read to its end first; each file behind the name is a *generation*, and
    ``generation`` and ``offset`` name a record for ever. ``file`` is the path, from the second generation on
    with its number: ``app.log#2``. The layout is told from the first lines, and stays. Only a file rewritten
    with the very bytes that were read of it goes unnoticed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = Path(folder, "app.log")
    ...     written = log.write_text("260302 101500 21 INFO dfs.A: Got it\n" * 30 + "260302 1015")
    ...     follower = Follower(log, settle=0)
    ...     arrival = follower.poll()
    ...     follower.close()
    >>> arrival.lines.height, arrival.position["offset"], arrival.gaps
    (30, 1080, ())
    """

    def __init__(
        self,
        path: Path | str,
        *,
        layout: str | Layout = "auto",
        year: int | None = None,
        limits: Limits | None = None,
        settle: float = 1.0,
        position: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted = Wanted(Path(path), _asked(layout), year, limits or Limits(), settle)
        self._clock = clock
        self._place: Place = Place(0)
        self._known: Identity | None = None
        if position is not None:
            place, self._known = from_json(position, self._wanted.limits.record)
            self._place = _asked_for(place, self._wanted.layout)
        self._now: Unfinished | None = None
        self._left: tuple[IO[bytes], Gap] | None = None
        self._position = dict(position) if position is not None else None
        self._gaps: list[Gap] = []
        self._unsure = self._wanted.layout is not None and self._known is None

    def poll(self) -> Arrival:
        """The records that are complete now and were not given before: at most some 4 MiB of them at once."""
        now, self._gaps = self._clock(), []
        self._watch_left()
        if (current := self._now or self._open(now)) is None:
            return self._arrival([], more=False)
        if not is_at(self._wanted.path, current.file):
            current.turn_away(now)
        grew = current.measure(now) > current.known.seen > 0 and current.known.is_in(current.file)
        if grew and (why := self._doubt(current.file, False, current.known, current.place)):
            self._gap(current.place, why)
            self._start(current.file, current.place, now)
            return self._arrival([], more=True)
        if (found := current.read(now)) is None:
            return self._arrival(self._lost(current, now), more=True)
        records, more = self._named(found[0], current.place), found[1]
        if not more and current.is_quiet(now):
            records += self._named(current.settled(), current.place)
            if current.away and (following := self._following(current)):
                return self._arrival(records + self._leave(current, *following, now), more=True)
        return self._arrival(records, more=more)

    def close(self) -> None:
        """Let go of the files; the last arrival's position is where to go on."""
        for file in ([self._now.file] if self._now else []) + ([self._left[0]] if self._left else []):
            file.close()
        self._now = self._left = None

    def _open(self, now: float) -> Unfinished | None:
        """The file that the position knows, else the one that bears the name, once it is there."""
        path, known = self._wanted.path, self._known
        if known and (found := find(path, known, self._place.past)):
            self._go_on(*found, known, self._place, now)
        elif fresh := opened(path):
            if known and known.offset and known.is_of(fresh) and known.reaches(fresh):
                self._gap(self._place, SHORTENED)
                self._now = Unfinished(fresh, self._place, self._wanted, now)
                return self._now
            if known:
                self._gap(self._place, "it was truncated, replaced, removed or packed while nobody was reading")
            self._start(fresh, self._place, now)
        return self._now

    def _go_on(self, file: IO[bytes], copied: bool, known: Identity, place: Place, now: float) -> None:
        """Go on in a file that seems to be the known one; with another generation where that is not sure."""
        if why := self._doubt(file, copied, known, place):
            self._gap(place, why)
            self._start(file, replace(place, copied=True), now)
        else:
            self._now = Unfinished(file, replace(place, copied=place.copied or copied), self._wanted, now)

    def _doubt(self, file: IO[bytes], copied: bool, known: Identity, place: Place) -> str | None:
        """Why this may be another file than the known one: nothing of that, or not even a line, was there to see."""
        if not known.seen:
            return None if known.is_untouched(file) else EMPTY
        path = self._wanted.path
        is_sure = place.form or not (copied or (is_at(path, file) and copies(path, known, place.past)))
        return None if is_sure else BEGUN

    def _start(self, file: IO[bytes], before: Place, now: float) -> None:
        """Begin with the first byte of another generation."""
        place = Place(before.generation + 1, layout=before.layout, past=before.past)
        if not is_at(self._wanted.path, file):
            place = replace(place, copied=before.copied, ahead=before.ahead)
        self._now = Unfinished(file, place, self._wanted, now)

    def _lost(self, current: Unfinished, now: float) -> list[pl.DataFrame]:
        """The file is not what it was: go on in the copy of it, if there is one, else with what it now holds."""
        if found := find(self._wanted.path, current.known, current.place.past):
            current.file.close()
            self._go_on(*found, current.known, current.place, now)
            return []
        if current.known.offset and current.known.reaches(current.file):
            self._gap(current.place, SHORTENED)
            self._now = Unfinished(current.file, current.place, self._wanted, now)
            return []
        self._gap(current.place, "it was truncated or overwritten")
        self._start(current.file, current.place, now)
        return self._named([current.place.growing.settle()[0]] if current.place.growing else [], current.place)

    def _following(self, current: Unfinished) -> tuple[Successors, IO[bytes]] | None:
        """The file to go on with, open, once one is there that holds anything."""
        after = successors(self._wanted.path, current.file, current.place.past)
        for path in (*after.paths, self._wanted.path):
            if file := opened(path):
                if os.fstat(file.fileno()).st_size:
                    return after, file
                file.close()
        return None

    def _leave(self, current: Unfinished, after: Successors, file: IO[bytes], now: float) -> list[pl.DataFrame]:
        """The rest of a file whose name another one bears; then that one begins."""
        if (rest := current.finish(now)) is None:
            file.close()
            return self._lost(current, now)
        place = current.place
        why = [COPIED] * place.copied + ["it was moved away or deleted, maybe not it alone"] * (not after.found)
        why += [f"{', '.join(path.name for path in after.packed)} came next and cannot be read"] * bool(after.packed)
        there = [*after.paths, self._wanted.path]
        why += [SKIPPED] * any(not any(map(seen.is_at, there)) for seen in place.ahead)
        ahead = tuple(seen for seen in place.ahead if not seen.is_in(file))
        if why:
            self._gap(place, "; ".join(why))
        if self._left:
            self._left[0].close()
        self._left = current.file, Gap(self._name(place), place.generation, place.end, LATE)
        past = (*place.past, current.known)[-KEPT:]
        copied = place.copied or any(is_copy(file, seen, there) for seen in place.ahead)
        self._start(file, replace(place, past=past, ahead=ahead, copied=copied), now)
        return self._named(rest, place)

    def _watch_left(self) -> None:
        """Whether the file left last was written to since: those lines come too late."""
        if self._left and os.fstat(self._left[0].fileno()).st_size > self._left[1].offset:
            self._left[0].close()
            self._gaps.append(self._left[1])
            self._left = None

    def _gap(self, place: Place, why: str) -> None:
        self._gaps.append(Gap(self._name(place), place.generation, place.end, why))

    def _name(self, place: Place) -> str:
        """What the generation is called in the frames: no two of its lines may be taken for one."""
        return f"{self._wanted.path}#{place.generation}" if place.generation > 1 else str(self._wanted.path)

    def _named(self, records: list[pl.DataFrame], place: Place) -> list[pl.DataFrame]:
        whole = [each for each in records if len(each)]
        if not whole:
            return []
        name, number = pl.lit(self._name(place)).cast(pl.Categorical), pl.lit(place.generation, pl.UInt32)
        return [each.with_columns(file=name, generation=number) for each in whole]

    def _arrival(self, records: list[pl.DataFrame], *, more: bool) -> Arrival:
        layout = self._now.place.layout if self._now else None
        own = [name for name in own_names(layout) if name not in LINES] if layout else []
        schema = pl.Schema(LINES | {"generation": pl.UInt32()} | dict.fromkeys(own, pl.String()))
        lines = pl.concat([pl.DataFrame(schema=schema), *(each.select(schema.names()) for each in records)])
        if self._unsure and len(lines) and self._wanted.layout:
            fitting(lines, self._wanted.layout, least=WRONG)
            self._unsure = False
        return Arrival(lines, tuple(self._gaps), self._now.position if self._now else self._position, more)


def _asked(layout: str | Layout) -> Layout | None:
    if isinstance(layout, str):
        return None if layout == "auto" else check_samples(check_layout(layout_named(layout)))
    return check_samples(check_layout(layout))


def _asked_for(place: Place, asked: Layout | None) -> Place:
    """The place with the layout that is asked for now, where it is another than it was told or named."""
    if asked is None or place.layout is None or asked.name == place.layout.name:
        return place
    growing = replace(place.growing, layout=asked) if place.growing else None
    return replace(place, layout=asked, growing=growing)
