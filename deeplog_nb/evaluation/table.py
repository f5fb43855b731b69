"""All methods on one data set -> one table of METRICS, with what it took and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import polars as pl

from deeplog_nb.evaluation.methods import Judged, baselines, deeplog
from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.evaluation.values import stated, values
from deeplog_nb.sessions.mutants import Mutants, mutants
from deeplog_nb.verdicts.coverage import coverage
from deeplog_nb.verdicts.deeplog import DeepLog
from deeplog_nb.verdicts.evaluate import evaluate
from deeplog_nb.verdicts.power import detection_power
from deeplog_nb.verdicts.units import session_units

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """What ``deeplog-nb evaluate`` prints."""

    parts: Parts
    rows: pl.DataFrame  # METRICS, then seed, source, train and score in seconds
    topg: list[float]  # share of normal test entries among the g most probable, g = 1 to 11, setting paper
    bounds: pl.DataFrame | None  # of the value model, where there is one: nominal and measured false alarms
    power: pl.DataFrame  # setting, kind, mutants, caught: of the training sessions, changed; no label needed


def table(parts: Parts, *, seeds: int = 1, progress: Progress = lambda _: None) -> Table:
    """Fit and judge by every method, DeepLog by so many seeds; the truth is read when all verdicts are given."""
    per_session = None if parts.by_entry else session_units(parts.test, parts.train)
    changed = mutants(parts.train)
    rows, topg, caught = [], list[float](), []
    for judged in _all(parts, seeds):
        progress(f"{judged.method} {judged.setting}" + ("" if judged.seed is None else f", seed {judged.seed}"))
        rows.append(_counted(judged, parts, per_session))
        if judged.fitted and judged.seed == 0:
            caught.append(_caught(judged.setting, judged.fitted, changed))
            topg = topg or coverage(_normal(judged.fitted, parts))
    return Table(parts, pl.concat(rows), topg, stated(parts), pl.concat(caught))


def _all(parts: Parts, seeds: int) -> Iterator[Judged]:
    return chain(baselines(parts), values(parts), *(deeplog(parts, seed) for seed in range(seeds)))


def _counted(judged: Judged, parts: Parts, per_session: pl.DataFrame | None) -> pl.DataFrame:
    known = None if per_session is None else per_session.join(judged.verdicts, on="session", how="semi")
    found = evaluate(judged.verdicts, parts.truth, method=judged.method, setting=judged.setting, units=known)
    return found.with_columns(
        seed=pl.lit(judged.seed, pl.UInt32),
        source=pl.lit(judged.source),
        train=pl.lit(judged.train),
        score=pl.lit(judged.score),
    )


def _caught(setting: str, fitted: DeepLog, changed: Mutants) -> pl.DataFrame:
    found = detection_power(fitted.judge(changed.sessions), changed.truth)
    return found.select(pl.lit(setting).alias("setting"), pl.all())


def _normal(fitted: DeepLog, parts: Parts) -> pl.DataFrame:
    """RANKS of the normal test sessions; where the truth is of lines, of all."""
    if parts.by_entry:
        return fitted.keys.rank(parts.test)
    normal = parts.truth.filter(~pl.col("anomalous")).select("session")
    return fitted.keys.rank(parts.test.join(normal, on="session", how="semi"))
