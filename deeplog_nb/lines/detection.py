"""The first lines of a log -> the layout that fits them, or bare text rather than a wrong guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from deeplog_nb.lines.fields import with_fields
from deeplog_nb.lines.folding import CONTINUING, RECORD, kinds, settled
from deeplog_nb.lines.layouts import Layout, layouts
from deeplog_nb.lines.patterns import quick

SURE: Final = 0.8  # share of the sample that a layout must fit before we believe it; stack traces do not count
LEAST: Final = 0.05  # share of the sample that it must fit even if all the rest are stack traces


@dataclass(frozen=True, repr=False)
class Detection:
    """Which layout fits a log's first lines, how well, what it did not fit, and the layout that came next."""

    layout: Layout
    share: float  # of the lines looked at, those left out that continue the one above
    looked_at: int
    fitted: Sequence[str]  # up to three lines each
    unfitted: Sequence[str]
    second: tuple[str, float] | None = None  # the name and the share

    def __repr__(self) -> str:
        lines = [f"{self.layout.name} ({self.layout.title}): fits {self.share:.0%} of {self.looked_at} lines"]
        lines += [f"  fits      {line[:160]!r}" for line in self.fitted[:1]]
        lines += [f"  fits not  {line[:160]!r}" for line in self.unfitted]
        lines += [f"  next best {self.second[0]}: fits {self.second[1]:.0%}"] if self.second else []
        return "\n".join(lines)


def detect(lines: Sequence[str], *, guess: Layout | None = None) -> Detection:
    """The layout that fits the most of these lines; bare text rather than a wrong guess.

    One that fits nearly any log (``generic``) is told only where none of the others is sure. A good ``guess``
    makes it quicker, and never tells another layout.

    >>> detect(["Mar  2 10:15:00 gate kernel: eth0: link up", "Mar  2 10:15:01 gate su: ok"]).layout.name
    'syslog'
    >>> detect(["hello"]).layout.name
    'text'
    """
    texts = pl.Series("text", [line for line in lines if line.strip()], dtype=pl.String)
    shares = _shares(texts, _known(texts, guess))
    told = [each for each in shares if each[1] >= SURE and each[2].sum() >= LEAST * len(texts)]
    others = [(layout.name, share) for layout, share, _ in shares if not told or layout != told[0][0]]
    second = max(others, key=lambda each: each[1], default=None)
    if not told:
        return Detection(layouts()["text"], 1.0, len(texts), texts[:3].to_list(), [], second)
    layout, share, fit = told[0]
    fitted, unfitted = texts.filter(fit)[:3].to_list(), texts.filter(~fit)[:3].to_list()
    return Detection(layout, share, len(texts), fitted, unfitted, second)


def _known(texts: pl.Series, guess: Layout | None) -> list[Layout]:
    """The layouts that can be told: where the guess fits every line, no later one of its kind can be better."""
    known = [layout for layout in layouts().values() if layout.kind != "text"]
    names = [layout.name for layout in known]
    if guess is None or guess.name not in names or not (_fit(texts, guess)).all():
        return known
    last = names.index(guess.name)
    return [layout for at, layout in enumerate(known) if at <= last or (guess.generic and not layout.generic)]


def _shares(texts: pl.Series, known: list[Layout]) -> list[tuple[Layout, float, pl.Series]]:
    """The two that fit best of the layouts that say much, then of those that fit nearly any log."""
    looks = texts.to_frame().select(_looks_like(layout).alias(layout.name) for layout in known)
    bounds = [(layout, int(looks[layout.name].sum())) for layout in known]
    fits = [each for generic in (False, True) for each in _fits(texts, [b for b in bounds if b[0].generic == generic])]
    return [(layout, _share(texts, _with_family(texts, fit, layout), layout), fit) for layout, fit in fits]


def _with_family(texts: pl.Series, fit: pl.Series, layout: Layout) -> pl.Series:
    """The lines that fit this layout or a variant of it; the lines between them are told by this one."""
    for variant in layouts().values():
        if layout.family and variant.family == layout.family and variant != layout:
            fit = fit | _fit(texts, variant)
    return fit


def _fits(texts: pl.Series, bounds: list[tuple[Layout, int]]) -> list[tuple[Layout, pl.Series]]:
    """The two that fit best, of equals the first in layouts.toml, and which lines make records of them.

    A layout fits no more lines than have its pattern, which is quick to tell: one that cannot win is left.
    """
    near = sorted((-bound, at) for at, (_, bound) in enumerate(bounds))
    found: list[tuple[int, int, pl.Series]] = []
    for bound, at in near:
        if bound == 0 or (len(found) > 1 and sorted(each[:2] for each in found)[1] < (bound, at)):
            break
        fit = _fit(texts, bounds[at][0])
        found.append((-int(fit.sum()), at, fit))
    best = sorted(found, key=lambda each: each[:2])[:2]
    return [(bounds[at][0], fit) for fits, at, fit in best if fits]


def _looks_like(layout: Layout) -> pl.Expr:
    looks = pl.col("text").str.contains(quick(layout.pattern))
    return looks & ~pl.col("text").str.contains(quick(layout.unless)) if layout.unless else looks


def _fit(texts: pl.Series, layout: Layout) -> pl.Series:
    lines = texts.to_frame()
    return with_fields(lines, layout)["matched"] & lines.select(_looks_like(layout)).to_series()


def _share(texts: pl.Series, fit: pl.Series, layout: Layout) -> float:
    """Of the lines that do not continue a record above them, those that fit."""
    if layout.heading:
        counted = fit | ~texts.str.contains(layout.heading)
        texts, fit = texts.filter(counted), fit.filter(counted)
    if not layout.folds:
        return int(fit.sum()) / max(len(texts), 1)
    looks = pl.repeat(RECORD, len(texts), dtype=pl.UInt8, eager=True)
    looks = looks.scatter((~fit).arg_true(), kinds(texts.filter(~fit), layout.continues))
    continues = settled(looks).is_in(CONTINUING) & fit.cum_max()
    return int(fit.sum()) / max(len(texts) - int(continues.sum()), 1)
