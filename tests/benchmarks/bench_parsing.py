"""Lines to keys, beside Drain3 and beside what polars alone takes, in one run (``make bench``).

The logs are real ones, tiled to a million lines with ids and times of their own in each copy. It asserts
only that both ends of a comparison saw the same lines.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from timing import median, row, seconds

from deeplog_nb.events.masks import shape
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.layouts import layout_named
from deeplog_nb.lines.read import read

LINES = 1_000_000
PEER = 200_000  # lines that Drain3 gets: its speed does not grow with more
LEAN = {  # the cheapest masks that keep Drain3's clusters as few as the templates
    "BLK": r"blk_-?\d+",
    "UUID": r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "HEX": r"\b(?:0x)?[0-9a-f]{8,}\b",
    "IP": r"/?\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?",
    "NUM": r"-?\b\d+(?:\.\d+)?\b",
}
_BEHIND, _BEFORE = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
DOCUMENTED = {  # the masks of Drain3's own example configuration, and the ids of the three systems
    "BLK": r"blk_-?\d+",
    "UUID": r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "ID": rf"{_BEHIND}(([0-9a-f]{{2,}}:){{3,}}([0-9a-f]{{2,}})){_BEFORE}",
    "IP": rf"{_BEHIND}(\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}){_BEFORE}",
    "SEQ": rf"{_BEHIND}([0-9a-f]{{6,}} ?){{3,}}{_BEFORE}",
    "SEQ4": rf"{_BEHIND}([0-9A-F]{{4}} ?){{4,}}{_BEFORE}",
    "HEX": rf"{_BEHIND}(0x[a-f0-9A-F]+){_BEFORE}",
    "NUM": rf"{_BEHIND}([\-\+]?\d+){_BEFORE}",
    "CMD": r"(?<=executed cmd )(\".+?\")",
}


@dataclass(frozen=True)
class Tile:
    """A real log, and what has to differ from copy to copy."""

    layout: str
    path: str
    fresh: str  # a pattern; its first group is a number (of the base) that is moved on in each copy
    base: int


TILES = (
    Tile("hdfs", "hdfs/raw_sample.log.gz", r"(?<=blk_)(-?\d+)", 10),
    Tile("openstack", "openstack/raw_normal1_instances.log.gz", r"\b([0-9a-f]{8})(?=-[0-9a-f]{4}-)", 16),
    Tile("bgl", "bgl/bgl_lines_000001_060000.log.gz", r"(?<=core\.)(\d+)", 10),
)
CLOCK = re.compile(r"\b(\d\d)(?=:\d\d:\d\d|\d{4} \d+ [A-Z]|\.\d\d\.\d\d\.\d{6})")  # the hour, in each of the three


def tiled(source: Path, tile: Tile) -> Iterator[str]:
    """Copies of the log; ids are moved on, and the clock by an hour."""
    original = gzip.decompress(source.read_bytes()).decode("utf-8", "replace").splitlines()
    ids, form = re.compile(tile.fresh), {10: "d", 16: "08x"}[tile.base]
    for copy in range(LINES // len(original) + 1):

        def moved(found: re.Match[str], by: int = copy * 7919) -> str:
            return format((int(found[1], tile.base) + by) % 2**63, form)

        def later(found: re.Match[str], by: int = copy) -> str:
            return f"{(int(found[1]) + by) % 24:02d}"

        yield from (CLOCK.sub(later, ids.sub(moved, line), count=1) for line in original)


@pytest.fixture(scope="module", params=TILES, ids=lambda tile: tile.layout)
def log(request: pytest.FixtureRequest, data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million lines of one of the three systems, in a file named for its layout."""
    path = tmp_path_factory.mktemp("tiles") / f"{request.param.layout}.log"
    lines = tiled(data(request.param.path), request.param)
    with path.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for _, line in zip(range(LINES), lines, strict=False))
    return path


def drain3(messages: list[str], masks: dict[str, str]) -> int:
    """How many clusters Drain3 finds in them."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(pattern, name) for name, pattern in masks.items()]
    miner = TemplateMiner(config=config)
    for message in messages:
        miner.add_log_message(message)
    return len(miner.drain.clusters)


def test_reading_and_keying_against_drain3_and_the_floor(log: Path) -> None:
    """Read, header and key; with all parameters; Drain3 from the file and from messages alone; polars' floor."""
    pytest.importorskip("drain3", reason="the peer is not installed: pip install drain3")
    pattern = re.compile(layout_named(log.stem).pattern)

    def headless() -> list[str]:
        with log.open(encoding="utf-8") as lines:
            return [
                found["message"] if (found := pattern.match(line)) else line
                for line, _ in zip(lines, range(PEER), strict=False)
            ]

    messages = headless()
    templates = Spell().fit(read(log))
    floor = pl.scan_lines(str(log)).group_by(shape(pl.col("line"))).len()
    times = {
        "Drain3, documented masks": (PEER, seconds(lambda: drain3(headless(), DOCUMENTED))),
        "Drain3, lean masks": (PEER, seconds(lambda: drain3(headless(), LEAN))),
        "Drain3, lean masks, messages alone": (PEER, seconds(lambda: drain3(messages, LEAN))),
        "polars floor: scan, mask, group": (LINES, median(lambda: floor.collect(engine="streaming"))),
        "read, header": (LINES, median(lambda: read(log))),
        "read, header, key": (LINES, median(lambda: templates.parse(read(log), parameters=False))),
        "read, header, key, all parameters": (LINES, median(lambda: templates.parse(read(log)))),
        "learn: read, header, mine": (LINES, median(lambda: Spell().fit(read(log)))),
    }
    print(f"\n{log.stem}: {LINES:,} lines, {log.stat().st_size / 1e6:.0f} MB, {len(templates)} templates")
    for what, (lines, spent) in times.items():
        row(what, lines, "lines", spent)
    speed = {what: lines / spent for what, (lines, spent) in times.items()}
    ours = speed["read, header, key"]
    for peer in (what for what in times if what.startswith("Drain3")):
        print(f"{'times ' + peer:<48} {ours / speed[peer]:>14.1f}")
    print(f"{'share of the floor':<48} {ours / speed['polars floor: scan, mask, group']:>14.2f}")
    assert templates.parse(read(log), parameters=False)["message"].head(PEER).to_list() == [
        m.rstrip("\n") for m in messages
    ]
