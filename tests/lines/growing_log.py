"""A log that is written, rotated, truncated, deleted: the model that knows every byte, and what a follower must say."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from deeplog_nb.lines.follow import Arrival, Follower, Gap

HEADER = b"260302 101500 21 INFO dfs.Start: " + b"=" * 1200 + b"\n"  # the first KiB of every file is the same


@dataclass
class Incarnation:
    """All bytes that were written into one file between its creation or truncation and the next."""

    content: bytes = b""
    seen: int = 0  # bytes of it that a poll found under the log's name
    gone: bool = False  # it was truncated or deleted
    packed: bool = False
    copied: bool = False  # before that a copy was made
    copy_seen: bool = False  # which was there at a poll


@dataclass
class World:
    """A folder with a log, and the hands that write and turn it."""

    path: Path
    random: random.Random
    header: bool
    traces: bool
    parts: bool = False  # a new file begins with a part of a line, and all lines with the same bytes
    past: list[Incarnation] = field(default_factory=list)
    now: Incarnation = field(default_factory=Incarnation)
    serial: int = 0
    moment: int = field(default_factory=time.time_ns)  # of the last write: a disk's clock may not tell two apart
    rest: bytes = b""  # of the line that is being written

    def line(self) -> bytes:
        self.serial += 1
        if self.traces and self.random.random() < 0.4:
            return b"\tat frame.number(%d)\n" % self.serial
        return b"260302 1015%02d 21 INFO dfs.A: Got blk_%d\n" % (0 if self.parts else self.serial % 60, self.serial)

    def write(self, *, whole: bool = False) -> None:
        """A few lines, cut at any byte; a new file begins with a line that no other has, maybe after a header.

        Or with a part of such a line, of which there may be no more for long.
        """
        fresh, whole_line = not self.now.content, not self.parts
        data = self.rest + b"".join(self.line() for _ in range(self.random.randint(1, 6)))
        least = data.index(b"\n", len(self.rest)) + 1 if fresh and whole_line else 1
        most = min(40, len(data)) if fresh and not whole_line else len(data)
        cut = len(data) if whole else self.random.randint(least, most)
        end = data.find(b"\n", cut - 1) + 1  # lines begun are finished later, those not begun never were
        data, self.rest = data[:cut], data[cut:end]
        self._append(HEADER + data if fresh and self.header else data)

    def _append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.now.content += data
        self._stamp(self.path)

    def _touch(self) -> None:
        self.path.write_bytes(b"")
        self._stamp(self.path)

    def _stamp(self, path: Path) -> None:
        self.moment += 10_000_000
        os.utime(path, ns=(self.moment, self.moment))

    def _next(self, *, gone: bool) -> None:
        self.now.gone = gone
        self.past.append(self.now)
        self.now = Incarnation()

    def _shift(self) -> None:
        for number in (3, 2, 1):
            for end in ("", ".gz"):
                old = Path(f"{self.path}.{number}{end}")
                if old.exists():
                    old.unlink() if number == 3 else old.rename(f"{self.path}.{number + 1}{end}")

    def rotate(self) -> None:
        """By renaming, as logrotate does; a line that was begun stays as it is."""
        if self.path.exists():
            self._shift()
            self.path.rename(f"{self.path}.1")
            self._next(gone=False)
            self.rest = b""
        if self.random.random() < 0.5:
            self._touch()

    def rotate_packed(self) -> None:
        if self.path.exists():
            modified = self.path.stat().st_mtime_ns
            self.rotate()
            plain, packed = Path(f"{self.path}.1"), Path(f"{self.path}.1.gz")
            packed.write_bytes(gzip.compress(plain.read_bytes()))
            os.utime(packed, ns=(modified, modified))
            plain.unlink()
            self.past[-1].packed = True

    def copytruncate(self) -> None:
        if self.path.exists():
            self._shift()
            shutil.copyfile(self.path, f"{self.path}.1")
            self._stamp(Path(f"{self.path}.1"))
            self.now.copied = True
            if self.random.random() < 0.5:
                self.write()
            self._touch()
            self._next(gone=True)

    def truncate(self) -> None:
        """And written anew at once, or not."""
        if self.path.exists():
            self._touch()
            self._next(gone=True)
            self.rest = b""
            if self.random.random() < 0.7:
                self.write()

    def delete(self) -> None:
        """With the inode free for the next file."""
        if self.path.exists():
            self.path.unlink()
            self._next(gone=True)
            self.rest = b""
            if self.random.random() < 0.5:
                self._touch()


@dataclass
class Run:
    """A follower with a clock of its own, its deaths, and what of its words was kept."""

    world: World
    options: dict[str, Any]
    clock: float = 0.0
    position: dict[str, Any] | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    first: int | None = None  # the incarnation that was there at the first poll that found any
    follower: Follower | None = None

    def poll(self, *, kept: bool = True) -> Arrival:
        if self.follower is None:
            self.follower = Follower(
                self.world.path, settle=1.0, clock=lambda: self.clock, position=self.position, **self.options
            )
        arrival = self.follower.poll()
        if kept:
            self.arrivals.append(arrival)
            self.position = arrival.position
            self.world.now.seen = len(self.world.now.content)
            for each in self.world.past[-3:]:
                each.copy_seen |= each.copied
            if self.first is None and self.world.path.exists():
                self.first = len(self.world.past)
        return arrival

    def die(self) -> None:
        if self.follower:
            self.follower.close()
        self.follower = None

    def to_the_end(self) -> None:
        """Poll until nothing comes any more."""
        for _ in range(40):
            self.clock += 1.0
            while self.poll().more:
                pass
        self.die()

    @property
    def gaps(self) -> list[Gap]:
        return [gap for arrival in self.arrivals for gap in arrival.gaps]

    @property
    def lines(self) -> pl.DataFrame:
        return pl.concat([each.lines for each in self.arrivals if len(each.lines)], how="diagonal")


RENAMING = ("rotate", "rotate", "rotate", "rotate_packed", "delete", "truncate")
COPYING = ("copytruncate", "copytruncate", "copytruncate", "delete", "truncate")
BOTH = ("rotate", "rotate", "copytruncate", "copytruncate", "truncate", "delete")


def play(folder: Path, seed: int, *, turns: Sequence[str] | None = None, **options: Any) -> Run:
    """One random program of some forty steps."""
    chance = random.Random(seed)
    world = World(folder / "app.log", chance, header=chance.random() < 0.4, traces=chance.random() < 0.3)
    world.parts = not world.header and chance.random() < 0.6
    run, turns = Run(world, {"layout": "hdfs"} | options), turns or chance.choice((RENAMING, COPYING, BOTH))
    for _ in range(chance.randint(10, 60)):
        step = chance.random()
        if step < 0.4:
            world.write()
        elif step < 0.7:
            run.poll()
        elif step < 0.85:
            getattr(world, chance.choice(turns))()
        else:
            if chance.random() < 0.5:
                run.poll(kept=False)
            run.die()
        run.clock += chance.choice((0.0, 0.1, 0.3, 1.2))
    if world.rest or not world.now.content:
        world.write(whole=True)
    run.to_the_end()
    return run
