"""A table of an evaluation as text for people, and as one object for machines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import polars as pl

from deeplog_nb.evaluation.table import Table
from deeplog_nb.verdicts.coverage import PUBLISHED

UNITS: Final = {"entry": "entries", "session": "all", "distinct": "distinct", "longer": "longer", "hard": "hard"}
BEST: Final = (("method", "deeplog"), ("setting", "best"))


def as_json(found: Table) -> dict[str, Any]:
    """``dataset, unit, split, rows, seconds, topg, power``; what is not a number is null."""
    ours = found.rows.filter(**dict(BEST)).select(pl.col("train", "score").mean()).row(0, named=True)
    return {
        "dataset": found.parts.name,
        "unit": found.parts.unit,
        "split": found.parts.split,
        "rows": [_finite(row) for row in found.rows.to_dicts()],
        "seconds": {name: round(value, 3) for name, value in ours.items()},
        "topg": [round(share, 6) for share in found.topg],
        "topg_published": list(PUBLISHED),
        "bounds": [] if found.bounds is None else found.bounds.to_dicts(),
        "power": found.power.to_dicts(),
    }


def as_text(found: Table) -> str:
    """Head, a line a row and unit, top-g coverage, power on mutants, sources of all thresholds."""
    sections = (
        [f"{found.parts.name}: unit {found.parts.unit}; {found.parts.split}"],
        *(_unit(found.rows, unit, title) for unit, title in UNITS.items()),
        _topg(found.topg, found.parts.name == "hdfs"),
        _bounds(found.bounds),
        _power(found.power),
        _sources(found.rows),
    )
    return "\n\n".join("\n".join(section) for section in sections if section)


def grid(names: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows of words and numbers in columns, words to the left and numbers to the right.

    >>> grid(["method", "f1"], [["pca", 0.5], ["ngram", 0.93884]])
    ['method     f1', 'pca     0.500', 'ngram   0.939']
    """
    texts = [[*names], *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(names))]
    numeric = [all(_is_number(text[at]) for text in texts[1:]) for at in range(len(names))]
    return [
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in texts
    ]


def _unit(rows: pl.DataFrame, unit: str, title: str) -> list[str]:
    """One unit's table: a row a method, its seeds together as mean and range of F1."""
    kept = rows.filter(pl.col("unit") == unit)
    if kept.is_empty():
        return []
    merged = kept.group_by("method", "setting", maintain_order=True).agg(
        pl.col("fp", "fn", "precision", "recall").mean(),
        pl.col("f1").mean(),
        low=pl.col("f1").min(),
        high=pl.col("f1").max(),
        seeds=pl.len(),
        interval=pl.format("{} to {}", pl.col("f1_low").mean().round(3), pl.col("f1_high").mean().round(3)),
        recurring=pl.col("recurring").mean(),
    )
    columns = (
        "method",
        "setting",
        "fp",
        "fn",
        "precision",
        "recall",
        "f1",
        "low",
        "high",
        "seeds",
        "interval",
        "recurring",
    )
    heads = [name if name not in ("low", "high") else f"{name} seed" for name in columns]
    whole = merged.with_columns(pl.col("fp", "fn").round(0).cast(pl.Int64))
    return [f"unit: {title}", *grid(heads, whole.select(columns).rows())]


def _topg(shares: Sequence[float], published: bool) -> list[str]:
    if not shares:
        return []
    ours = ["ours", *(f"{share:.4f}" for share in shares)]
    paper = [["paper", *(f"{share:.4f}" for share in PUBLISHED)]] if published else []
    heads = ["g", *map(str, range(1, len(shares) + 1))]
    return ["normal entries among the g most probable, setting paper", *grid(heads, [ours, *paper])]


def _bounds(found: pl.DataFrame | None) -> list[str]:
    if found is None:
        return []
    return ["false alarms of the value model's bounds, on held-out normal sessions", *grid(found.columns, found.rows())]


def _power(caught: pl.DataFrame) -> list[str]:
    wide = caught.pivot("kind", index="setting", values="caught", maintain_order=True)
    return ["share caught of training sessions with one change (no label used)", *grid(wide.columns, wide.rows())]


def _sources(rows: pl.DataFrame) -> list[str]:
    told = rows.unique(["method", "source"], keep="first", maintain_order=True)
    return ["thresholds come from", *grid(["method", "source"], told.select("method", "source").rows())]


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).isdigit() or text == "nan"


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
