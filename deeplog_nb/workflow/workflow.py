"""The tasks of a log as automata, learnt from its sessions (paper, section 4): class Workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.sessions.windows import sequences
from deeplog_nb.workflow.automaton import Task
from deeplog_nb.workflow.conformance import Conformance
from deeplog_nb.workflow.cooccurrence import by_cooccurrence
from deeplog_nb.workflow.diagnose import Doctor, Waits
from deeplog_nb.workflow.edges import edges_frame, steps_frame
from deeplog_nb.workflow.entries import Entries, Mask, background
from deeplog_nb.workflow.following import following
from deeplog_nb.workflow.learning import Learnt, learn
from deeplog_nb.workflow.predictions import NextKeys, Predictor
from deeplog_nb.workflow.replay import Tasks
from deeplog_nb.workflow.runs import Runs, runs
from deeplog_nb.workflow.separation import by_prediction
from deeplog_nb.workflow.texts import Texts, texts_of, without_beginning
from deeplog_nb.workflow.waits import seconds, waits


@dataclass(frozen=True)
class Workflow:
    """The tasks of a log; :meth:`from_model` and :meth:`from_cooccurrence` learn them."""

    tasks: tuple[Task, ...]  # the most frequent first; task t is ``tasks[t - 1]``
    steps: pl.DataFrame  # STEPS
    edges: pl.DataFrame  # EDGES
    following: pl.DataFrame  # task, next, count, share: which task comes behind which; 0 = a session's begin and end
    background: tuple[int, ...]  # keys that come at random places and belong to no task
    templates: Texts | None = None  # what the keys say
    source: str = ""  # how it was learnt

    @classmethod
    def from_model(
        cls,
        sessions: pl.DataFrame,
        models: NextKeys | Sequence[NextKeys],
        *,
        tau: float = 0.9,
        least: float = 0.02,
        templates: Templates | Texts | None = None,
    ) -> Workflow:
        """Learn the tasks from what fitted models predict (paper, 4.2)."""
        predictor = Predictor(models)
        whole = Entries.of(sequences(sessions))
        noise = background(whole)
        kept = ~np.isin(whole.keys, noise)
        begins = by_prediction(whole.only(kept), predictor, tau=tau, without=noise)
        return _workflow(sessions, whole, kept, begins, tau, least, noise, templates, f"predictions, tau {tau:g}")

    @classmethod
    def from_cooccurrence(
        cls,
        sessions: pl.DataFrame,
        *,
        tau: float = 0.9,
        distance: int = 4,
        least: float = 0.02,
        templates: Templates | Texts | None = None,
    ) -> Workflow:
        """Learn the tasks from how often keys come near one another (paper, 4.3)."""
        whole = Entries.of(sequences(sessions))
        noise = background(whole)
        kept = ~np.isin(whole.keys, noise)
        begins = by_cooccurrence(whole.only(kept), tau=tau, distance=distance)
        return _workflow(sessions, whole, kept, begins, tau, least, noise, templates, f"co-occurrence, tau {tau:g}")

    def diagnose(self, verdicts: pl.DataFrame, *, templates: Templates | Texts | None = None) -> pl.DataFrame:
        """DIAGNOSES of the anomalous rows of these VERDICTS."""
        texts = texts_of(templates) if templates is not None else self.templates
        return Doctor(self._tasks, self._waits, self._shown(texts)).diagnose(verdicts)

    def conformance(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """``session, count, fits, position, key``: whether the tasks can produce each session, else where they first cannot."""
        return Conformance(self._tasks).check(sessions)

    def _shown(self, texts: Texts | None) -> Texts | None:
        return without_beginning(texts, (key for task in self.tasks for key in task.keys))

    @cached_property
    def _tasks(self) -> Tasks:
        shares = {(own, other): share for own, other, share in self.following.select("task", "next", "share").rows()}
        return Tasks(self.tasks, shares, frozenset(self.background))

    @cached_property
    def _waits(self) -> Waits:
        rows = self.edges.select("task", "source", "target", "median_elapsed", "p99_elapsed").rows()
        return {(task, source, target): (median, late) for task, source, target, median, late in rows}


def _workflow(
    sessions: pl.DataFrame,
    whole: Entries,
    kept: Mask,
    begins: Mask,
    tau: float,
    least: float,
    noise: tuple[int, ...],
    templates: Templates | Texts | None,
    source: str,
) -> Workflow:
    entries = whole.only(kept)
    found = runs(entries, begins, tau=tau)
    tasks = _learnt(found, least)
    starts = np.cumsum(whole.lengths) - whole.lengths
    places = (np.arange(len(whole.keys)) - starts[whole.rows])[kept]
    of_session = sequences(sessions).of_session
    waited = waits(found, tasks, places, entries.rows, of_session, seconds(sessions))
    learnt = list(tasks.values())
    return Workflow(
        tuple(each.task for each in learnt),
        steps_frame(learnt),
        edges_frame(learnt, waited),
        following(found, entries, {kind: number for number, kind in enumerate(tasks, 1)}),
        noise,
        texts_of(templates),
        source,
    )


def _learnt(found: Runs, least: float) -> dict[int, Learnt]:
    """Each type's automaton, but for those with less than the ``least`` share of the entries."""
    counts = found.counts.tolist()
    entries = Counter[int]()
    for variant, kind, count in zip(found.variants, found.types.tolist(), counts, strict=True):
        entries[kind] += count * len(variant)
    bound = least * entries.total()
    own = {kind: [] for kind in sorted(entries) if entries[kind] >= bound}
    for variant, kind, count in zip(found.variants, found.types.tolist(), counts, strict=True):
        if kind in own:
            own[kind].append((variant, count))
    return {kind: learn(variants, least) for kind, variants in own.items()}
