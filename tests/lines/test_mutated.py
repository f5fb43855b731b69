"""Broken logs of every kind: each is read whole, flagged, or refused in one error; none crashes, hangs or loses a line.

``make fuzz`` reads twenty thousand of them; as a part of the tests a few hundred are.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import random
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from deeplog_nb.frames import LINES, InputError, check
from deeplog_nb.lines.layouts import Layout
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.read import read

zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
FILES: Final = int(os.environ.get("DEEPLOG_NB_MUTATED", "500"))
BATCH: Final = 100
SECONDS: Final = 5.0  # what any small file may take
LIMITS: Final = Limits(record=20_000)
FOLDING: Final = Layout("any", "whatever is not indented", pattern=r"^(?P<message>\S.*)$")
LAYOUTS: Final = ("auto", "text", FOLDING)
LINES_OF: Final = (
    "081109 203518 {n} INFO dfs.DataNode: Receiving block blk_{n}",
    "Mar  2 10:15:{s:02d} gate sshd[{n}]: Failed password for root from 10.0.0.{s}",
    '{{"ts": {n}, "level": "info", "msg": "order {n} paid", "user": "ü€{s}"}}',
    "2026-03-02 10:15:{s:02d},123 ERROR [main] app.Main: it failed\n\tat app.Main.run(Main.java:{n})\n\tat x",
    "plain words and числа {n}\n\n  indented",
)
Packer = Callable[[bytes], bytes]


def log(chance: random.Random) -> bytes:
    """A log that nothing is wrong with yet, of one layout or of several."""
    kinds = chance.sample(LINES_OF, chance.choice((1, 1, 1, 2)))
    many = range(chance.choice((0, 1, 5, 40, 200)))
    lines = [chance.choice(kinds).format(n=chance.randrange(9999), s=chance.randrange(60)) for _ in many]
    return "".join(line + "\n" for line in lines).encode()


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut_off(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def doubled(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[begin:]


def without_a_part(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randint(0, len(data)) for _ in range(2))
    return data[:begin] + data[end:]


def with_(parts: list[bytes]) -> Callable[[bytes, random.Random], bytes]:
    def put_in(data: bytes, chance: random.Random) -> bytes:
        for _ in range(chance.choice((1, 2, 10))):
            at = chance.randint(0, len(data))
            data = data[:at] + chance.choice(parts) + data[at:]
        return data

    return put_in


def in_crlf(data: bytes, chance: random.Random) -> bytes:
    return b"".join(line + chance.choice((b"\n", b"\r\n")) for line in data.split(b"\n"))


def written_in(encoding: str) -> Callable[[bytes, random.Random], bytes]:
    return lambda data, chance: data.decode("utf-8", "replace").encode(encoding)


def with_a_long_line(data: bytes, chance: random.Random) -> bytes:
    at = data.find(b"\n", chance.randint(0, len(data))) + 1
    return data[:at] + "ü€x".encode() * chance.choice((300, 5000)) + b"\n" + data[at:]


MUTATIONS: Final = (
    flipped,
    cut_off,
    doubled,
    without_a_part,
    with_([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80"]),
    with_([b"\0", b"\0" * 50, b"\r", b"\x1b[31m", b"\x85", "\u2028".encode()]),
    in_crlf,
    *map(written_in, ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig")),
    with_a_long_line,
)


def tarred(data: bytes, mode: str = "w") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name in ("a.log", "b/c.log"):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name in ("a.log", "b/c.log"):
            archive.writestr(name, data)
    return made.getvalue()


def as_zstd(data: bytes) -> bytes:
    packed: bytes = zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})
    return packed


PACKERS: Final[tuple[tuple[Packer, int], ...]] = (  # and how often the text is in it
    (bytes, 1),
    (gzip.compress, 1),
    (lambda data: gzip.compress(data) + gzip.compress(data), 2),
    (bz2.compress, 1),
    (lzma.compress, 1),
    (as_zstd, 1),
    (lambda data: tarred(data, "w:gz"), 2),
    (lambda data: tarred(data, "w:xz"), 2),
    (lambda data: gzip.compress(tarred(gzip.compress(data))), 2),
    (zipped, 2),
    (lambda data: zipped(data, zipfile.ZIP_STORED), 2),
    (lambda data: zipped(data, zipfile.ZIP_BZIP2), 2),
    (lambda data: as_zstd(tarred(zipped(data))), 4),
)
BREAKS: Final = (flipped, cut_off, doubled, without_a_part, with_([b"garbage"]), lambda data, _: data + b"garbage")


def mutated(number: int) -> tuple[bytes, int | None]:
    """A file, and how many bytes of text are in it, where its packing was left alone."""
    chance = random.Random(number)
    text = log(chance)
    for change in chance.choices(MUTATIONS, k=chance.choice((0, 1, 1, 2, 3))):
        text = change(text, chance)
    pack, times = chance.choice(PACKERS)
    packed = pack(text)
    if pack is bytes or chance.random() < 0.5:
        return packed, len(text) * times
    return chance.choice(BREAKS)(packed, chance), None


def wrong(path: Path, text_bytes: int | None, layout: str | Layout) -> str:
    """What is wrong with how this file is read; nothing where it is read whole, flagged, or refused by name."""
    began = time.perf_counter()
    try:
        lines = read(path, layout=layout, limits=LIMITS)
    except InputError as error:
        told = str(path) in str(error) or "layout any fits none" in str(error)
        return "" if told else f"an error that does not name the file: {error}"
    if time.perf_counter() - began > SECONDS:
        return f"took {time.perf_counter() - began:.1f} s"
    check(lines, LINES, "lines")
    damaged = lines["flags"].list.contains("damaged").any()
    marks = 16  # bytes of byte order marks, which belong to no line, in up to four texts
    if text_bytes is not None and not damaged and not 0 <= text_bytes - int(lines["length"].sum()) <= marks:
        return f"{text_bytes} bytes in, {lines['length'].sum()} out"
    return out_of_step(lines)


def out_of_step(lines: pl.DataFrame) -> str:
    """Whether each record begins where the one before it ends, in lines and in bytes."""
    folded = pl.col("flags").list.contains("folded")
    physical = pl.when(folded).then(pl.col("message").str.count_matches("\n", literal=True)).otherwise(0) + 1
    steps = lines.select(
        bytes=(pl.col("offset") + pl.col("length")).shift(1).over("file") != pl.col("offset"),
        lines=(pl.col("line") + physical).shift(1).over("file") != pl.col("line"),
    )
    return "" if not steps.select(pl.any_horizontal(pl.all()).any()).item() else "records do not follow one another"


@pytest.mark.parametrize("batch", range(-(-FILES // BATCH)))
def test_broken_files_are_read_flagged_or_refused(tmp_path: Path, batch: int) -> None:
    """Whatever happened to a log on its way, no line of it vanishes silently, and nothing crashes or hangs."""
    path = tmp_path / "broken.log"
    found = {}
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        data, size = mutated(number)
        path.write_bytes(data)
        found[number] = wrong(path, size, LAYOUTS[number % len(LAYOUTS)])
    assert {number: what for number, what in found.items() if what} == {}
