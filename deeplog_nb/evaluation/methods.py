"""The methods and settings of the table: what each learns from, and which rows it gives.

A method's row is its verdicts; parts of ``best`` are left out by leaving its rules out, which costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from deeplog_nb.baselines.distance import CountDistance
from deeplog_nb.baselines.invariants import Invariants
from deeplog_nb.baselines.ngrams import NGramTopG
from deeplog_nb.baselines.pca import PrincipalComponents
from deeplog_nb.baselines.rules import Bigrams, SessionLength, UnseenKey
from deeplog_nb.baselines.tfidf import TfidfLSTM
from deeplog_nb.baselines.whole import Baseline
from deeplog_nb.evaluation.conformance import Conforming
from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.frames import RULES
from deeplog_nb.verdicts.ablate import only
from deeplog_nb.verdicts.deeplog import DeepLog, Setting

SIMPLE: Final[dict[str, Callable[[], Baseline]]] = {
    "ngram": NGramTopG,
    "pca": PrincipalComponents,
    "invariants": Invariants,
    "counts": CountDistance,
    "unseen": UnseenKey,
    "length": SessionLength,
    "bigram": Bigrams,
    "workflow": Conforming,
}
BY_ENTRY: Final = ("ngram",)  # of these, the ones with a verdict on every entry
ABLATIONS: Final = {
    "best without counts": {"counts"},
    "best without order": {"unlikely"},
    "best without ending": {"ended_early"},
    "best without unseen": {"unseen"},
    "best, unseen and counts only": {"unlikely", "ended_early"},
    "best, order and ending only": {"unseen", "counts"},
}
"""Setting -> the rules that are left out of the verdicts of ``best``."""


@dataclass(frozen=True)
class Judged:
    """One row of the table before it is counted."""

    method: str
    setting: str
    verdicts: pl.DataFrame
    source: str  # where its threshold comes from
    seed: int | None = None  # None: there is no chance in it
    train: float = 0.0  # seconds
    score: float = 0.0
    fitted: DeepLog | None = None


def baselines(parts: Parts) -> Iterator[Judged]:
    """Every method without chance, then the supervised one where there is something to train it with."""
    for method, build in SIMPLE.items():
        if not parts.by_entry or method in BY_ENTRY:
            yield _fitted(method, "normal", build(), parts.train, parts.test)
    if parts.by_entry:
        return
    yield _fitted("pca", "unlabelled test part", PrincipalComponents(), parts.test, parts.test)
    if parts.abnormal is not None:
        yield _supervised(parts, parts.abnormal)


def deeplog(parts: Parts, seed: int) -> Iterator[Judged]:
    """The paper's setting and ours by one seed, each part of ours left out in turn."""
    yield _seeded(parts, "paper", Setting.paper(seed))
    ours = _seeded(parts, "best", suited(Setting.best(seed), parts))
    yield ours
    for setting, left_out in ABLATIONS.items():
        yield replace(ours, setting=setting, verdicts=only(ours.verdicts, set(RULES) - left_out), fitted=None)
    if seed == 0:  # what changes the training has to be trained
        yield _seeded(parts, "best with swaps", replace(suited(Setting.best(seed), parts), swaps=True))


def suited(setting: Setting, parts: Parts) -> Setting:
    """The setting for this log: where a file is the session, its beginning and end are the file's, not a task's."""
    if not parts.by_entry:
        return setting
    return replace(setting, keys=replace(setting.keys, start=False, end=False), ending=False, counts=False)


def _seeded(parts: Parts, setting: str, asked: Setting) -> Judged:
    model = DeepLog(asked)
    found = _fitted("deeplog", setting, model, parts.train, parts.test)
    return replace(found, seed=asked.keys.training.seed, fitted=model)


def _fitted(method: str, setting: str, model: Baseline | DeepLog, train: pl.DataFrame, test: pl.DataFrame) -> Judged:
    began = time.perf_counter()
    model.fit(train)
    trained = time.perf_counter()
    verdicts = model.judge(test)
    done = time.perf_counter()
    return Judged(method, setting, verdicts, model.source, train=trained - began, score=done - trained)


def _supervised(parts: Parts, abnormal: pl.DataFrame) -> Judged:
    """What it was trained with is not judged."""
    began = time.perf_counter()
    model = TfidfLSTM().fit(parts.train, abnormal)
    trained = time.perf_counter()
    verdicts = model.judge(parts.test.join(abnormal.select("session").unique(), on="session", how="anti"))
    done = time.perf_counter()
    return Judged("tfidf", "supervised", verdicts, model.source, 0, trained - began, done - trained)
