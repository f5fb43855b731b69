"""Members of archives are texts like any other: named, told, read in one pass, and never written anywhere."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.archives import open_texts
from deeplog_nb.lines.files import find_files
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read
from deeplog_nb.lines.zips import END, ENTRY

TWO = {"app/1.log": b"one\n", "app/2.txt": b"two\nthree\n"}


def tarred(members: Mapping[str, bytes], mode: str = "w", form: int = tarfile.GNU_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_000_000_000
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def put(folder: Path, content: bytes, name: str = "a.log") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def texts(asked: str | Path, limits: Limits | None = None) -> dict[str, bytes]:
    """What is found, by the name that it has behind the file's."""
    opened = open_texts(find_files(asked), limits or Limits())
    return {each.source.member: each.stream.peek(1 << 20) for each in opened}


ARCHIVES: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "tar": tarred,
    "pax": lambda members: tarred(members, form=tarfile.PAX_FORMAT),
    "tar.gz": lambda members: tarred(members, "w:gz"),
    "tar.xz": lambda members: tarred(members, "w:xz"),
    "tar.bz2": lambda members: tarred(members, "w:bz2"),
    "zip": zipped,
    "stored zip": lambda members: zipped(members, zipfile.ZIP_STORED),
    "zip in tar": lambda members: tarred({"in.zip": zipped(members)}),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_members_come_out_by_name(tmp_path: Path, kind: str) -> None:
    """Whatever the archive, and whatever it is called: each member with its bytes, in order."""
    found = texts(put(tmp_path, ARCHIVES[kind](TWO)))
    assert list(found.values()) == list(TWO.values())
    assert [name.removeprefix("in.zip!") for name in found] == list(TWO)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_long_and_foreign_names_come_out_whole(tmp_path: Path, kind: str) -> None:
    """Names that need the archive's extensions."""
    members = {"long/" * 40 + "ü€.log": b"a\n", "b": b"bb\n"}
    assert [name.removeprefix("in.zip!") for name in texts(put(tmp_path, ARCHIVES[kind](members)))] == list(members)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("app/1.log", ["app/1.log"]),
        ("*.txt", ["app/2.txt", "in.tar!x.txt"]),
        ("app", ["app/1.log", "app/2.txt"]),
        ("in.tar", ["in.tar!x.txt"]),
        ("in.tar!x.*", ["in.tar!x.txt"]),
    ],
)
def test_some_members_can_be_asked_for(tmp_path: Path, asked: str, found: list[str]) -> None:
    """A name, a glob, a folder, an archive within."""
    path = put(tmp_path, zipped(TWO | {"in.tar": tarred({"x.txt": b"x\n"})}))
    assert list(texts(f"{path}!{asked}")) == found


def test_a_member_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    """A misspelt name."""
    with pytest.raises(InputError, match=r"!3\.log: none of its 2 members is called so; there are: app/1\.log, app/2"):
        texts(f"{put(tmp_path, tarred(TWO))}!3.log")


def test_records_know_their_member(tmp_path: Path) -> None:
    """Lines and offsets count from the beginning of each, also where the member is packed itself."""
    path = put(tmp_path, tarred({"1.gz": gzip.compress(b"one\ntwo\n"), "2": b"three\n"}, "w:gz"))
    rows = read(path, layout="text").select(pl.col("file").cast(pl.String), "line", "offset", "message").rows()
    assert rows == [(f"{path}!1.gz", 1, 0, "one"), (f"{path}!1.gz", 2, 4, "two"), (f"{path}!2", 1, 0, "three")]


def test_two_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """A tar may hold a file twice, the later one newer."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for data in (b"old\n", b"new\n"):
            member = tarfile.TarInfo("a.log")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    assert texts(put(tmp_path, made.getvalue())) == {"a.log": b"old\n", "a.log#2": b"new\n"}


def test_links_folders_devices_and_hidden_files_are_not_read(tmp_path: Path) -> None:
    """A link to a file outside gives nothing of it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"kind{kind.decode()}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for name in ("._hidden", "../../up.log"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"x\n"))
    assert texts(put(tmp_path, made.getvalue())) == {"../../up.log": b"x\n"}
    assert os.listdir(tmp_path) == ["a.log"]


def test_a_tar_that_breaks_off_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    """The last member that can be read carries the flag."""
    whole = tarred({"1": b"one\n" * 500, "2": b"two\n" * 500})
    for size, lines in ((2700, 500), (3072, 500), (3100, 507), (5000, None)):
        frame = read(put(tmp_path, whole[:size]), layout="text")
        assert lines is None or frame.height == lines
        assert [at for at, flags in enumerate(frame["flags"]) if "damaged" in flags] == [frame.height - 1]


def test_a_zip_that_breaks_off_is_refused(tmp_path: Path) -> None:
    """Its directory stands at its end."""
    with pytest.raises(InputError, match=r"a\.log: its directory.*is not there; is the file whole"):
        texts(put(tmp_path, zipped(TWO)[:-30]))


def test_a_wrong_checksum_in_a_zip_is_told(tmp_path: Path) -> None:
    """The member comes out, and its last line is called damaged."""
    flags = read(put(tmp_path, zipped(TWO, 0).replace(b"two", b"owt")), layout="text")["flags"].to_list()
    assert flags == [[], [], ["damaged"]]


def test_encrypted_members_are_refused_where_they_are_asked_for(tmp_path: Path) -> None:
    """The others of the same zip can still be read."""
    path = put(tmp_path, zipped(TWO).replace(b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0", 1))
    with pytest.raises(InputError, match=r"app/1\.log: is encrypted"):
        texts(path)
    assert list(texts(f"{path}!*.txt")) == ["app/2.txt"]


def test_members_that_lie_over_one_another_are_refused(tmp_path: Path) -> None:
    """How a small zip holds petabytes."""
    data = zipped({"1": b"one\n"})
    at = data.index(b"PK\1\2")
    entry = data[at : at + ENTRY.size + 1]
    end = END.pack(b"PK\5\6", 0, 0, 2, 2, 2 * len(entry), at, 0)
    with pytest.raises(InputError, match="lie over one another"):
        texts(put(tmp_path, data[:at] + entry * 2 + end))


def test_a_zip_that_states_the_sizes_of_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """Four gigabytes out of a few bytes."""
    data = zipped({"1": b"one\n"}).replace(struct.pack("<L", 4) + b"\1\0", struct.pack("<L", 0xFFFFFFF0) + b"\1\0")
    with pytest.raises(InputError, match=r"a\.log: unpacks to .* times its size.*Limits\(ratio="):
        texts(put(tmp_path, data))


def test_archives_in_archives_are_opened_up_to_a_limit(tmp_path: Path) -> None:
    """Five deep by default, more where asked."""
    data = b"a line\n"
    for _ in range(6):
        data = zipped({"z": data})
    path = put(tmp_path, data)
    with pytest.raises(InputError, match=r"packed more than 5 times over.*Limits\(nesting=10\)"):
        texts(path)
    assert list(texts(path, Limits(nesting=10)).values()) == [b"a line\n"]


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_more_members_than_the_limit_are_refused(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    """A million files of nothing."""
    with pytest.raises(InputError, match=r"holds more than 9 files.*Limits\(members=90\)"):
        texts(put(tmp_path, pack({str(number): b"" for number in range(10)})), Limits(members=9))


def test_a_zip_of_more_than_64k_members_and_bytes_before_it_is_read(tmp_path: Path) -> None:
    """Its directory has another form, and stands elsewhere than it says."""
    members = {str(number): b"x\n" for number in range(66_000)}
    assert list(texts(put(tmp_path, b"PK\3\4" + zipped(members)))) == list(members)


def test_a_log_of_a_year_not_stated_takes_it_from_its_member(tmp_path: Path) -> None:
    """The archive was copied today; the log was written in 2001."""
    path = put(tmp_path, tarred({"a": b"Mar  2 10:15:00 gate su: ok\n"}))
    assert read(path)["time"][0].year == 2001


def test_a_date_that_no_calendar_has_is_no_obstacle(tmp_path: Path) -> None:
    """A tar's clock may say anything."""
    member = tarfile.TarInfo("a")
    member.size, member.mtime = 28, 1 << 80
    data = member.tobuf(tarfile.GNU_FORMAT) + b"Mar  2 10:15:00 gate su: ok\n".ljust(512, b"\0") + bytes(1024)
    assert read(put(tmp_path, data))["time"][0].year == 2514


def test_a_real_archive_is_read_whole(data: Callable[[str], Path]) -> None:
    """515 logs of Hadoop containers, as many lines as their README says."""
    lines = read(data("hadoop/hadoop_pagerank_logs.tar.gz"))
    folded = lines.filter(pl.col("flags").list.contains("folded"))["message"].str.count_matches("\n").sum()
    newlines = 214_668
    without_newline = 2  # files whose last line lacks it
    assert (lines["file"].n_unique(), lines.height + folded) == (515, newlines + without_newline)


def test_the_second_of_a_name_can_be_read_by_the_name_it_is_given(tmp_path: Path) -> None:
    """What ``file`` says is what ``read`` takes."""
    path = put(tmp_path, tarred({"top.log": b"old\n"})[:1024] + tarred({"top.log": b"new\n"}))
    told = read(path, layout="text")["file"].cast(pl.String).to_list()
    assert [read(each, layout="text")["message"].to_list() for each in told[1:]] == [["new"]]


def test_errors_write_strange_names_out(tmp_path: Path) -> None:
    """The name of a member cannot colour the terminal or make lines of its own."""
    path = put(tmp_path, tarred({"a\x1b[31m\nb": b""}))
    with pytest.raises(InputError, match=r"there are: a\\x1b\[31m\\nb;"):
        read(f"{path}!nothing", layout="text")
