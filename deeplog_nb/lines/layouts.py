"""What the lines of a log look like: the entries of layouts.toml, and which of them fits a log.

It says how a line is cut into fields; ``records`` does the cutting.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import polars as pl

from deeplog_nb.frames import EVENTS, InputError
from deeplog_nb.lines.blocks import PHYSICAL

SURE: Final = 0.8  # share of the sample that a layout must fit before we believe it
OURS: Final = {"time", "level", "source", "message"}  # groups of a pattern that fill the contract
RESERVED: Final = {*EVENTS, *PHYSICAL, "physical", "continues", "start", "within"} - OURS  # no field may be so called


@dataclass(frozen=True)
class Layout:
    """One entry of layouts.toml; the comment on top of that file says what the fields mean."""

    name: str
    title: str
    kind: Literal["regex", "json", "text"] = "regex"
    pattern: str = ""
    time: Sequence[str] = ()
    session: str | None = None
    columns: Sequence[str] = ()  # JSON only: names beyond the contract that become columns, found in the first lines
    samples: Sequence[str] = field(default=(), repr=False)

    @property
    def lacks_year(self) -> bool:
        """Whether its times leave the year to be inferred."""
        return bool(self.time) and not any("%Y" in f or "%y" in f for f in self.time)

    @property
    def folds(self) -> bool:
        """Whether lines that it does not fit may continue the record above them."""
        return self.kind == "regex"

    @property
    def groups(self) -> list[str]:
        """The names of the pattern's groups, in order."""
        return re.findall(r"\(\?P?<(\w+)>", self.pattern)


@dataclass(frozen=True, repr=False)
class Detection:
    """Which layout fits a log's first lines, how well, and what it did not fit."""

    layout: Layout
    share: float  # of the lines looked at
    looked_at: int
    fitted: Sequence[str]  # up to three lines each
    unfitted: Sequence[str]

    def __repr__(self) -> str:
        lines = [f"{self.layout.name} ({self.layout.title}): fits {self.share:.0%} of {self.looked_at} lines"]
        lines += [f"  fits      {line[:160]!r}" for line in self.fitted[:1]]
        lines += [f"  fits not  {line[:160]!r}" for line in self.unfitted]
        return "\n".join(lines)


@cache
def layouts() -> dict[str, Layout]:
    """Every layout that we know, by name, in the order in which ties are broken.

    >>> list(layouts())
    ['hdfs', 'openstack', 'bgl', 'syslog', 'json', 'iso', 'text']
    """
    entries = tomllib.loads(files("deeplog_nb.lines").joinpath("layouts.toml").read_text("utf-8"))
    return {name: Layout(name=name, **entry) for name, entry in entries.items()}


def layout_named(name: str) -> Layout:
    r"""The layout of that name, or an error that lists the names there are.

    >>> layout_named("hdfs").session
    '(blk_-?\\d+)'
    """
    if name in layouts():
        return layouts()[name]
    raise InputError(f"no layout is called {name!r}; there are: {', '.join(layouts())}, or 'auto'")


def check_layout(layout: Layout) -> Layout:
    r"""The layout as it came, or an error that says what its pattern lacks.

    >>> check_layout(Layout("mine", "my log", pattern=r"^(?P<time>\S+) .*$"))
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: layout 'mine': its pattern has no group (?P<message>...), which every record needs
    """
    if isinstance(layout.time, str):
        raise InputError(f"layout {layout.name!r}: time is a list of formats; write time=[{layout.time!r}]")
    if layout.kind != "regex":
        return layout
    try:
        pl.select(pl.lit("").str.contains(layout.pattern))
    except pl.exceptions.ComputeError as error:
        raise InputError(f"layout {layout.name!r}: no linear-time pattern: {pattern_reason(error)}") from error
    if "message" not in layout.groups:
        raise InputError(f"layout {layout.name!r}: its pattern has no group (?P<message>...), which every record needs")
    if "time" in layout.groups and not layout.time:
        raise InputError(
            f"layout {layout.name!r}: its pattern has a time; say its formats, as in time=['%Y-%m-%d %H:%M:%S']"
        )
    if taken := RESERVED.intersection(layout.groups):
        raise InputError(f"layout {layout.name!r}: groups may not be called {', '.join(sorted(taken))}; rename them")
    return layout


def pattern_reason(error: Exception) -> str:
    """The line of polars' error about a pattern that says what is wrong."""
    lines = str(error).splitlines()
    return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[0])


def detect(lines: Sequence[str]) -> Detection:
    """The layout that fits the most of these lines; bare text rather than a wrong guess.

    >>> detect(["Mar  2 10:15:00 gate kernel: eth0: link up", "Mar  2 10:15:01 gate su: ok"]).layout.name
    'syslog'
    >>> detect(["hello"]).layout.name
    'text'
    """
    lines = [line for line in lines if line.strip()]
    fits = {layout.name: _fits(layout, lines) for layout in layouts().values() if layout.kind != "text"}
    best = max(fits, key=lambda name: fits[name].sum())
    share = int(fits[best].sum()) / max(len(lines), 1)
    if share < SURE:
        return Detection(layouts()["text"], 1.0, len(lines), lines[:3], [])
    series = pl.Series("line", lines, dtype=pl.String)
    fitted, unfitted = series.filter(fits[best])[:3].to_list(), series.filter(~fits[best])[:3].to_list()
    return Detection(layouts()[best], share, len(lines), fitted, unfitted)


def _fits(layout: Layout, lines: Sequence[str]) -> pl.Series:
    from deeplog_nb.lines.fields import fields

    frame = pl.DataFrame({"text": pl.Series(lines, dtype=pl.String)})
    return frame.select(fields(layout)).select(matched=matched(layout))["matched"]


def matched(layout: Layout) -> pl.Expr:
    """Whether a line's fields, as ``records.fields`` cuts them, make a record of this layout."""
    if layout.kind == "text":
        return pl.lit(True)
    has_time = pl.col("time").is_not_null() if layout.kind == "regex" and layout.time else pl.lit(True)
    return pl.col("message").is_not_null() & has_time
