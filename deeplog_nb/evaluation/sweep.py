"""The paper's Figure 8 again: h, L, alpha and g varied one at a time around its setting, every value shown.

Its sweeps read the test labels, and so do these: they show how much a choice matters, they are no way to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.evaluation.text import grid
from deeplog_nb.verdicts.deeplog import PAPER, DeepLog, Setting
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.units import session_units

LAYERS: Final = {1: 0.905, 2: 0.954, 3: 0.935, 4: 0.939, 5: 0.934}
WIDTHS: Final = {32: 0.932, 64: 0.954, 128: 0.953, 192: 0.957, 256: 0.945}
TOPS: Final = {7: 0.926, 8: 0.953, 9: 0.954, 10: 0.946, 11: 0.942, 12: 0.934}
HISTORIES: Final = {5: 0.940, 6: 0.934, 7: 0.926, 8: 0.923, 9: 0.937, 10: 0.954}
"""The F that the paper's Figure 8 shows for each value, measured off its curves."""

Progress = Callable[[str], None]


def sweep(parts: Parts, *, seeds: int = 1, progress: Progress = lambda _: None) -> pl.DataFrame:
    """``parameter, value, precision, recall, f1, low, high, published``: all sessions, means over the seeds.

    Each value is trained as ``DeepLog(Setting.paper())`` is, but for g, which needs no training of its own.
    ``low`` and ``high`` are the F1 of the worst and the best seed.
    """
    rows = pl.concat(row for seed in range(seeds) for row in _by_seed(parts, seed, progress))
    by_value = rows.group_by("parameter", "value", maintain_order=True)
    return by_value.agg(
        pl.col("precision", "recall", "f1").mean(),
        low=pl.col("f1").min(),
        high=pl.col("f1").max(),
        published=pl.col("published").first(),
    )


def sweep_text(rows: pl.DataFrame) -> str:
    """The sweep as a table."""
    return "\n".join(["one parameter varied, test labels read; published: Figure 8", *grid(rows.columns, rows.rows())])


def _by_seed(parts: Parts, seed: int, progress: Progress) -> Iterator[pl.DataFrame]:
    count = partial(_row, parts, session_units(parts.test, parts.train))
    usual = DeepLog(Setting.paper(seed)).fit(parts.train)
    ranks = usual.keys.rank(parts.test)
    for g, figure in TOPS.items():
        yield count(judge(ranks, policy=replace(PAPER, g=g)), "g", g, figure)
    for name, published in {"layers": LAYERS, "units": WIDTHS, "history": HISTORIES}.items():
        for value, figure in published.items():
            progress(f"seed {seed}, {name} {value}")
            asked = Setting.paper(seed, **{name: value})
            model = usual if asked == usual.setting else DeepLog(asked).fit(parts.train)
            yield count(model.judge(parts.test), name, value, figure)


def _row(
    parts: Parts, per_session: pl.DataFrame, verdicts: pl.DataFrame, name: str, value: int, figure: float
) -> pl.DataFrame:
    found = evaluate(verdicts, parts.truth, units=per_session).filter(unit="session")
    names = {"parameter": pl.lit(name), "value": pl.lit(value)}
    return found.select(**names, precision="precision", recall="recall", f1="f1", published=pl.lit(figure))
