"""What is packed and broken gives what can still be had, and is told; bombs are refused, honest archives are not."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read, scan

zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
LINES = [f"line {number} of {number * number * 7919 % 99_991}" for number in range(30_000)]
TEXT = "".join(line + "\n" for line in LINES).encode()
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
MIB = 1 << 20


def put(folder: Path, content: bytes, name: str = "a.log") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", PACKERS)
def test_of_a_file_that_breaks_off_all_that_was_there_is_read(tmp_path: Path, kind: str) -> None:
    """Half a packed file gives its first lines as they were; the last of them alone says that it breaks off."""
    packed = PACKERS[kind](TEXT)
    lines = read(put(tmp_path, packed[: len(packed) * 3 // 4]), layout="text")
    assert len(LINES) // 3 < lines.height < len(LINES)
    assert lines["message"].to_list()[:-1] == LINES[: lines.height - 1]
    assert [at for at, flags in enumerate(lines["flags"]) if "damaged" in flags] == [lines.height - 1]


@pytest.mark.parametrize("kind", PACKERS)
def test_a_wrong_checksum_is_told_and_costs_no_line(tmp_path: Path, kind: str) -> None:
    """The text of a small file whose checksum is wrong comes out whole and is called damaged."""
    packed = bytearray(PACKERS[kind](b"one\ntwo\n"))
    packed[{"gzip": -8, "bzip2": 10, "xz": 40, "zstd": -1}[kind]] ^= 255
    lines = read(put(tmp_path, bytes(packed)), layout="text")
    assert lines["message"].to_list() == ["one", "two"]
    assert lines["flags"].to_list() == [[], ["damaged"]]


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize(("behind", "flags"), [(b"garbage", ["damaged"]), (bytes(1024), [])])
def test_what_stands_behind_the_packed_text_is_told(tmp_path: Path, kind: str, behind: bytes, flags: list[str]) -> None:
    """Bytes that no packer wrote are told on the last line; the zeros with which tapes are filled are not."""
    lines = read(put(tmp_path, PACKERS[kind](TEXT) + behind), layout="text")
    assert (lines.height, lines["flags"].to_list()[-1]) == (len(LINES), flags)


@pytest.mark.parametrize("kind", PACKERS)
def test_nothing_readable_at_all_is_an_error(tmp_path: Path, kind: str) -> None:
    """Of ten bytes of a packed file no text comes: that is said, with the file's name."""
    with pytest.raises(InputError, match=r"a\.log: nothing of it can be unpacked"):
        read(put(tmp_path, PACKERS[kind](TEXT)[:10]))


def test_a_text_that_only_begins_like_a_packer_is_text(tmp_path: Path) -> None:
    """BZh may begin a name."""
    assert read(put(tmp_path, b"BZhang logged in\n"))["message"].to_list() == ["BZhang logged in"]


def repeated(line: bytes, size: int, maker: Callable[[], object]) -> bytes:
    packer, piece = maker(), line * (MIB // len(line))
    parts = [packer.compress(piece) for _ in range(size // len(piece))]  # type: ignore[attr-defined]
    return b"".join([*parts, packer.flush()])  # type: ignore[attr-defined]


def gz() -> object:
    return zlib.compressobj(9, zlib.DEFLATED, 31)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: repeated(b"\0", 128 * MIB, gz),
    "gzip of short lines": lambda: repeated(b"a b\n", 128 * MIB, gz),
    "many gzips": lambda: repeated(b"\0", MIB, gz) * 100,
    "gzip of gzip": lambda: gzip.compress(repeated(b"\0", 128 * MIB, gz)),
    "bzip2": lambda: bz2.compress(bytes(20 * MIB)) * 4,
    "xz": lambda: repeated(b"\0", 128 * MIB, lambda: lzma.LZMACompressor(preset=0)),
    "zstd": lambda: repeated(b"x\n", 128 * MIB, zstd.ZstdCompressor),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_at_once_and_we_say_how_to_read_them_all_the_same(tmp_path: Path, kind: str) -> None:
    """No line of a bomb is made before it is known for one; the error has the words that raise the limit."""
    path = put(tmp_path, BOMBS[kind]())
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"a\.log: unpacks to .* times its size.*limits=dl\.Limits\(ratio="):
        read(path, layout="text")
    assert time.perf_counter() - began < 5  # two on a quiet machine


def test_a_raised_limit_reads_what_was_refused(tmp_path: Path) -> None:
    """The advice of the error works."""
    path = put(tmp_path, repeated(b"a line as any other, again and again\n", 70 * MIB, zstd.ZstdCompressor))
    with pytest.raises(InputError, match="limits=dl"):
        read(path, layout="text")
    many = scan(path, layout="text", limits=Limits(ratio=100_000)).select("line").collect()
    assert many.height == 70 * MIB // (MIB // 37 * 37) * (MIB // 37)


def test_a_total_of_ones_own_is_kept(tmp_path: Path) -> None:
    """Whoever wants less than the default says so."""
    with pytest.raises(InputError, match=r"more than 1,000 bytes.*Limits\(total=4000\)"):
        read(put(tmp_path, gzip.compress(TEXT)), limits=Limits(total=1000))


def test_logs_that_repeat_themselves_are_no_bombs(tmp_path: Path) -> None:
    """A retry every 137 ms for 70 MiB, in the tightest packing that people use."""
    line = "2026-01-01T{:02d}:{:02d}:{:02d}.{:03d} WARN ipc.Client: Retrying connect to node-41:8020, policy fixed\n"
    whens = [(n // 26_280 % 24, n // 438 % 60, n * 137 // 1000 % 60, n * 137 % 1000) for n in range(100_000)]
    day = "".join(line.format(*when) for when in whens).encode()
    packer = lzma.LZMACompressor(preset=0)
    packed = b"".join([*(packer.compress(day) for _ in range(8)), packer.flush()])
    assert scan(put(tmp_path, packed), layout="text").select("line").collect().height == 800_000


def test_many_empty_parts_take_no_time(tmp_path: Path) -> None:
    """A hundred thousand gzips of nothing, then a line."""
    began = time.perf_counter()
    assert read(put(tmp_path, gzip.compress(b"") * 100_000 + gzip.compress(b"a line\n")), layout="text").height == 1
    assert time.perf_counter() - began < 5


GIANT = """
import resource, sys
from pathlib import Path
import deeplog_nb as dl
path = Path(sys.argv[1])
path.write_bytes(b"first\\n")
dl.read(path, layout="text")
with path.open("r+b") as file:
    file.seek(0, 2)
    file.write(b"x")
    file.seek((1 << 30) - 1, 1)  # a hole, which reads as zeros
    file.write(b"\\nlast\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
lines = dl.read(path, layout="text")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 512)
print(lines.select("line", "offset", "length", "flags").rows(), lines["message"].str.len_bytes().to_list())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in Linux' units")
def test_a_line_of_a_gigabyte_is_one_record_among_others(tmp_path: Path) -> None:
    """Three lines in, three records out: the head of the giant, its true length, and its neighbours untouched."""
    run = subprocess.run(
        [sys.executable, "-c", GIANT, str(tmp_path / "a.log")], capture_output=True, text=True, check=True
    )
    long = (2, 6, (1 << 30) + 1, ["cut"])
    assert run.stdout.splitlines() == ["True", f"{[(1, 0, 6, []), long, (3, 7 + (1 << 30), 5, [])]} [5, 1048576, 4]"]


def test_limits_below_one_are_refused() -> None:
    """Nothing could be read under them."""
    with pytest.raises(InputError, match="record, nesting is not"):
        Limits(record=0, nesting=-1)
