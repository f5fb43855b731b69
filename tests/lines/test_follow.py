"""A log that grows: what is complete comes at once, what is not waits, and what may be lost is said."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from deeplog_nb.frames import LINES, InputError, check
from deeplog_nb.lines.follow import Arrival, Follower
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read

LINE = "260302 101500 21 INFO dfs.A: Got blk_%d\n"
SAME = b"#" * 4095 + b"\n"


class Hands:
    """A log, a clock that stands still unless it is set, and followers of the log."""

    def __init__(self, folder: Path) -> None:
        self.log, self.now = folder / "a.log", 0.0
        self.follower: Follower | None = None
        self.position: Any = None

    def write(self, text: str | bytes, path: Path | None = None) -> None:
        with (path or self.log).open("ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def poll(self, seconds: float = 2.0, **options: Any) -> Arrival:
        """Look, and again so much later: what was there at the first look has waited by then; so do new generations."""
        options = {"layout": "hdfs", "clock": lambda: self.now, "position": self.position} | options
        self.follower = self.follower or Follower(self.log, **options)
        arrivals = [self.follower.poll()]
        for _ in range(9 if seconds >= 1 else 1):
            self.now += seconds
            arrivals.append(self.follower.poll())
        self.position = arrivals[-1].position
        lines = pl.concat([each.lines for each in arrivals], how="diagonal")
        return Arrival(lines, tuple(gap for each in arrivals for gap in each.gaps), self.position, False)

    def restart(self) -> None:
        if self.follower:
            self.follower.close()
        self.follower = None


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    made = Hands(tmp_path)
    yield made
    made.restart()


def messages(arrival: Arrival) -> list[str]:
    return arrival.lines["message"].to_list()


def test_what_comes_are_lines(hands: Hands) -> None:
    """The frames keep the contract, also where nothing came."""
    assert len(check(hands.poll().lines, LINES, "lines")) == 0
    hands.write(LINE % 1)
    (row,) = check(hands.poll().lines, LINES, "lines").to_dicts()
    assert (row["line"], row["offset"], row["length"], row["generation"]) == (1, 0, 39, 1)


@pytest.mark.parametrize("cut", range(1, 40))
def test_an_unfinished_line_waits(hands: Hands, cut: int) -> None:
    """Wherever a line is cut, it comes once and whole, when its end has come."""
    line = (LINE % 1).encode()
    hands.write(line[:cut])
    early = messages(hands.poll())
    hands.write(line[cut:])
    assert (early, messages(hands.poll())) == (([], ["Got blk_1"]) if cut < 39 else (["Got blk_1"], []))


def test_a_record_waits_for_its_continuation_until_it_settles(hands: Hands) -> None:
    """A stack trace comes with its record; what comes too late is a record of its own."""
    hands.write(LINE % 1)
    assert messages(hands.poll(0.5)) == []
    hands.write("\tat a.b\n")
    assert messages(hands.poll(0.9)) == []
    assert messages(hands.poll()) == ["Got blk_1\n\tat a.b"]
    hands.write("\tat c.d\n\tat e.f\n" + LINE % 2)
    assert messages(hands.poll()) == ["\tat c.d\n\tat e.f", "Got blk_2"]


def test_a_record_waits_no_longer_than_until_the_next(hands: Hands) -> None:
    """While the log grows, only the last record waits."""
    hands.write("".join(LINE % number for number in range(200)))
    assert len(hands.poll(0).lines) == 199


def test_renamed_and_begun_anew(hands: Hands) -> None:
    """The rest of the old file comes first, its unfinished last line too; the new one is the next generation."""
    hands.write(LINE % 1)
    hands.poll()
    hands.write(LINE % 2 + "unfinished")
    hands.log.rename(f"{hands.log}.1")
    hands.write(LINE % 3)
    arrival = hands.poll()
    assert messages(arrival) == ["Got blk_2", "unfinished", "Got blk_3"]
    assert arrival.lines.select("generation", "line", "offset").rows() == [(1, 2, 39), (1, 3, 78), (2, 1, 0)]
    assert arrival.lines["file"].cast(pl.String).to_list() == [str(hands.log)] * 2 + [f"{hands.log}#2"]
    assert arrival.gaps == ()


def test_rotated_twice_while_nobody_read(hands: Hands) -> None:
    """Every rotated file that is younger is read, the oldest first; an older one is not."""
    hands.write("older", Path(f"{hands.log}.3"))
    os.utime(f"{hands.log}.3", (1, 1))
    hands.write(LINE % 1)
    hands.poll()
    hands.restart()
    hands.log.rename(f"{hands.log}.2")
    hands.write(LINE % 2, Path(f"{hands.log}.1"))
    hands.write(LINE % 3)
    arrival = hands.poll()
    assert (messages(arrival), arrival.gaps) == (["Got blk_2", "Got blk_3"], ())


def test_a_file_like_its_name_is_no_rotated_one(hands: Hands) -> None:
    """What ends with no number and no date belongs to somebody else."""
    hands.write(LINE % 1)
    hands.poll()
    hands.log.rename(f"{hands.log}.1")
    for other in (".lock", "~", ".err", ".1.bak"):
        hands.write(LINE % 9, Path(f"{hands.log}{other}"))
    hands.write(LINE % 2)
    assert messages(hands.poll()) == ["Got blk_2"]


def test_a_packed_file_between_is_a_gap(hands: Hands) -> None:
    """It is named, and not read."""
    hands.write(LINE % 1)
    hands.poll()
    hands.restart()
    hands.log.rename(f"{hands.log}.2")
    Path(f"{hands.log}.1.gz").write_bytes(gzip.compress((LINE % 2).encode()))
    hands.write(LINE % 3)
    arrival = hands.poll()
    assert messages(arrival) == ["Got blk_3"]
    assert [(gap.generation, gap.offset, "a.log.1.gz" in gap.why) for gap in arrival.gaps] == [(1, 39, True)]


@pytest.mark.parametrize("again", [LINE % 2, LINE % 2 * 9], ids=["shorter", "longer"])
@pytest.mark.parametrize("dead", [False, True], ids=["followed", "restarted"])
def test_truncated_and_written_anew(hands: Hands, again: str, dead: bool) -> None:
    """Told by its size or by its bytes, a gap since the last record, and a new generation."""
    hands.write(LINE % 1 * 3)
    hands.poll()
    if dead:
        hands.restart()
    hands.log.write_text(again)
    arrival = hands.poll()
    assert [(gap.generation, gap.offset) for gap in arrival.gaps] == [(1, 117)]
    assert arrival.lines["generation"].unique().to_list() == [2]
    assert len(arrival.lines) == again.count("\n")


def test_copied_and_truncated(hands: Hands) -> None:
    """The rest is read in the copy; that lines may be lost between the two is said."""
    hands.write(LINE % 1)
    hands.poll()
    hands.write(LINE % 2)
    shutil.copyfile(hands.log, f"{hands.log}.1")
    hands.log.write_text(LINE % 3)
    arrival = hands.poll()
    assert messages(arrival) == ["Got blk_2", "Got blk_3"]
    assert [(gap.generation, gap.offset) for gap in arrival.gaps] == [(1, 78)]


@pytest.mark.parametrize("dead", [False, True], ids=["followed", "restarted"])
@pytest.mark.parametrize("emptied", [True, False], ids=["empty", "written anew"])
def test_what_was_read_is_no_copy_of_a_line_just_begun(hands: Hands, dead: bool, emptied: bool) -> None:
    """All generations begin alike: the longest of those that do was read before, and what may be lost is said."""
    hands.write("".join(LINE % number for number in range(5)))
    hands.poll()
    hands.log.rename(f"{hands.log}.1")
    hands.write((LINE % 5)[:8])
    hands.poll()
    if dead:
        hands.restart()
    hands.log.write_text(LINE % 5)
    Path(f"{hands.log}.1").rename(f"{hands.log}.2")
    shutil.copy2(hands.log, f"{hands.log}.1")
    hands.log.write_text("" if emptied else LINE % 6)
    arrivals = [hands.poll()]
    hands.write(LINE % 6 if emptied else LINE % 7)
    arrivals.append(hands.poll())
    found = [message for arrival in arrivals for message in messages(arrival)]
    assert found == (["Got blk_5", "Got blk_6"] if emptied else ["Got blk_6", "Got blk_7"])
    assert (arrivals[0].gaps[0].generation, arrivals[0].gaps[0].offset) == (2, 0)


def test_what_is_older_is_no_copy(hands: Hands) -> None:
    """A file from before the first look, which begins as the line that was seen of."""
    hands.write(LINE % 0 * 3, Path(f"{hands.log}.1"))
    os.utime(f"{hands.log}.1", (1, 1))
    hands.write((LINE % 1)[:8])
    hands.poll()
    hands.log.write_text("")
    empty = hands.poll()
    hands.write(LINE % 2)
    assert (messages(empty), messages(hands.poll())) == ([], ["Got blk_2"])


def test_a_copy_of_what_came_next_is_said_to_be_one(hands: Hands) -> None:
    """Seen under the log's name, read in a copy: lines written between copying and truncating are lost."""
    hands.write(LINE % 1)
    hands.poll()
    hands.log.rename(f"{hands.log}.1")
    hands.write(LINE % 2)
    hands.poll(0.1)
    Path(f"{hands.log}.1").rename(f"{hands.log}.2")
    shutil.copyfile(hands.log, f"{hands.log}.1")
    hands.log.write_text(LINE % 3)
    arrival = hands.poll()
    assert messages(arrival) == ["Got blk_2", "Got blk_3"]
    assert [(gap.generation, gap.offset) for gap in arrival.gaps] == [(2, 39)]


@pytest.mark.parametrize("dead", [False, True], ids=["followed", "restarted"])
def test_deleted_and_made_anew_with_the_same_inode(hands: Hands, dead: bool) -> None:
    """A reused number and the same first 4 KiB make no file the old one."""
    hands.write(SAME + (LINE % 1).encode())
    hands.poll()
    if dead:
        hands.restart()
    hands.log.unlink()
    hands.write(SAME + (LINE % 2).encode() * 2)
    arrival = hands.poll()
    assert messages(arrival)[1:] == ["Got blk_2"] * 2
    assert [gap.generation for gap in arrival.gaps] == [1]


def test_what_is_deleted_is_read_to_its_end(hands: Hands) -> None:
    """As long as it is held open, nothing written to it is lost."""
    hands.write(LINE % 1)
    hands.poll()
    hands.write(LINE % 2)
    hands.log.unlink()
    assert messages(hands.poll()) == ["Got blk_2"]
    hands.write(LINE % 3)
    assert messages(hands.poll()) == ["Got blk_3"]


def test_lines_that_come_too_late_are_a_gap(hands: Hands) -> None:
    """A writer that keeps the old file open for long is told of."""
    hands.write(LINE % 1)
    hands.poll()
    hands.log.rename(f"{hands.log}.1")
    hands.write(LINE % 2)
    hands.poll()
    hands.write(LINE % 3, Path(f"{hands.log}.1"))
    (gap,) = hands.poll().gaps
    assert str(gap).endswith("a.log: lines may be missing after byte 39: " + gap.why)


def test_a_long_line_is_cut_as_reading_cuts_it(hands: Hands) -> None:
    """Whatever its length, the record is the head, with the length of the whole."""
    limits = Limits(record=1000)
    hands.write("x" * 10_000)
    assert messages(hands.poll(limits=limits)) == []
    hands.write("y\n" + LINE % 1)
    arrival = hands.poll()
    assert arrival.lines["length"].to_list() == [10_002, 39]
    assert arrival.lines.drop("file", "generation").equals(read(hands.log, layout="hdfs", limits=limits).drop("file"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_are_those_of_reading(hands: Hands, encoding: str) -> None:
    """Marked or not, cut between the bytes of a character or not."""
    data, arrivals = "".join(f"260302 101500 21 INFO dfs.A: Grüße {n}\n" for n in range(40)).encode(encoding), []
    for at in range(0, len(data), 333):
        hands.write(data[at : at + 333])
        arrivals.append(hands.poll(0.3).lines)
    arrivals.append(hands.poll().lines)
    found = pl.concat([each for each in arrivals if len(each)])
    assert found.drop("file", "generation").equals(read(hands.log, layout="hdfs").drop("file"))


@pytest.mark.parametrize(
    "name",
    [
        "Hadoop/Hadoop_2k.log",
        "Linux/Linux_2k.log",
        "OpenStack/OpenStack_2k.log",
        "Spark/Spark_2k.log",
        "Zookeeper/Zookeeper_2k.log",
    ],
)
def test_a_real_log_that_grows_is_the_log_that_is_read(hands: Hands, data: Callable[[str], Path], name: str) -> None:
    """Written in pieces cut anywhere, with restarts between: the layout is told, the records are the same."""
    whole, chance, arrivals, at = data(f"loghub_2k/{name}").read_bytes() + b"\n", random.Random(7), [], 0
    while at < len(whole):
        size = chance.choice((1, 100, 5_000, 40_000))
        hands.write(whole[at : at + size])
        at += size
        arrivals.append(hands.poll(0.1, layout="auto", year=2026).lines)
        if chance.random() < 0.2:
            hands.restart()
    arrivals.append(hands.poll(layout="auto", year=2026).lines)
    found = pl.concat([each for each in arrivals if len(each)])
    assert found.drop("file", "generation").equals(read(hands.log, year=2026).drop("file"))


def test_the_layout_is_told_once_there_is_enough(hands: Hands) -> None:
    """A few lines that fit none are not yet taken for bare text; for ever they do not wait either."""
    hands.write("Started\n")
    assert messages(hands.poll(0.9, layout="auto")) == []
    hands.write("".join(LINE % number for number in range(30)))
    assert hands.poll(layout="auto").position["layout"]["name"] == "hdfs"


def test_bare_text_is_given_in_the_end(hands: Hands) -> None:
    """A minute of patience, and it is what it is."""
    hands.write("Started\nReady\n")
    assert messages(hands.poll(61, layout="auto")) == ["Started", "Ready"]


def test_a_named_layout_that_fits_nothing_is_refused(hands: Hands) -> None:
    """As reading refuses it."""
    hands.write("hello\n" * 30)
    with pytest.raises(InputError, match="fits none of the 30 lines"):
        hands.poll()


def test_no_text_is_refused(hands: Hands) -> None:
    """A program is named as one."""
    hands.write(b"\x7fELF" + bytes(5000))
    with pytest.raises(InputError, match="a program"):
        hands.poll()


@pytest.mark.parametrize("position", [{}, {"version": 1}, {"version": 1, "layout": 3, "form": None}])
def test_a_broken_position_is_refused(hands: Hands, position: dict[str, object]) -> None:
    """Words, not a traceback."""
    with pytest.raises(InputError, match="begin anew"):
        Follower(hands.log, position=position)


def test_much_comes_in_blocks(hands: Hands) -> None:
    """What was written while nobody read comes some 4 MiB at once, each with a position of its own."""
    hands.write(LINE % 1 * 200_000)
    follower = hands.follower = Follower(hands.log, layout="hdfs", settle=0)
    sizes = []
    while (arrival := follower.poll()).more or len(arrival.lines):
        sizes.append(len(arrival.lines))
    assert len(sizes) == 2
    assert sum(sizes) == 200_000
