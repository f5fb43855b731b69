"""The paper's Figure 8 again: h, L, alpha and g varied one at a time around its setting, every value shown.

Its sweeps read the test labels, and so do these: they show how much a choice matters, they are no way to make one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.evaluation.text import grid
from deeplog_nb.frames import RANKS
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.verdicts.deeplog import PAPER, paper
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.verdicts.units import units

LAYERS: Final = {1: 0.905, 2: 0.954, 3: 0.935, 4: 0.939, 5: 0.934}
WIDTHS: Final = {32: 0.932, 64: 0.954, 128: 0.953, 192: 0.957, 256: 0.945}
TOPS: Final = {7: 0.926, 8: 0.953, 9: 0.954, 10: 0.946, 11: 0.942, 12: 0.934}
HISTORIES: Final = {5: 0.940, 6: 0.934, 7: 0.926, 8: 0.923, 9: 0.937, 10: 0.954}
"""The F that the paper's Figure 8 shows for each value, measured off its curves."""

Progress = Callable[[str], None]


def sweep(parts: Parts, *, seed: int = 0, progress: Progress = lambda _: None) -> pl.DataFrame:
    """``parameter, value, precision, recall, f1, published``: all sessions, one training for each value but g's."""
    per_session = units(parts.test, parts.train)
    usual = _ranks(parts, seed)
    rows = [_row(parts, per_session, usual, "g", g, replace(PAPER, g=g), TOPS[g]) for g in TOPS]
    varied = {"layers": LAYERS, "units": WIDTHS, "history": HISTORIES}
    for name, published in varied.items():
        for value, figure in published.items():
            progress(f"{name} {value}")
            ranks = _ranks(parts, seed, **{name: value})
            policy = replace(PAPER, longer_than=value) if name == "history" else PAPER
            rows.append(_row(parts, per_session, ranks, name, value, policy, figure))
    return pl.concat(rows)


def sweep_text(rows: pl.DataFrame) -> str:
    """The sweep as a table."""
    return "\n".join(["one parameter varied, test labels read; published: Figure 8", *grid(rows.columns, rows.rows())])


def _ranks(parts: Parts, seed: int, **changed: int) -> pl.DataFrame:
    settings = paper(seed).keys
    usual = {"layers": settings.layers, "units": settings.units, "history": settings.history} | changed
    wanted = replace(settings, layers=usual["layers"], units=usual["units"], history=usual["history"])
    return KeyModel.of(wanted).fit(parts.train).rank(parts.test).select(*RANKS)


def _row(
    parts: Parts, per_session: pl.DataFrame, ranks: pl.DataFrame, name: str, value: int, policy: Policy, figure: float
) -> pl.DataFrame:
    found = evaluate(judge(ranks, policy=policy), parts.truth, units=per_session).filter(unit="session")
    return found.select(
        parameter=pl.lit(name),
        value=pl.lit(value),
        precision="precision",
        recall="recall",
        f1="f1",
        published=pl.lit(figure),
    )
