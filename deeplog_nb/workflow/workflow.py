"""The tasks of a log as automata, learnt from its sessions (paper, section 4): class Workflow.

Both methods say where a task begins (``separation``, ``cooccurrence``) and leave the rest to one way: runs are cut
there, pieces that are no task of their own are joined to the one before (``joining``), runs with most keys in common
are one task (``kinds``). Of a task's runs the steps are told (``steps``: a key is two steps where another one always
lies between), then their order (``order``: before, in turns, at once), then what may come directly behind what
(``learning``). So replicas that interleave in hundreds of orders are a few concurrent steps that repeat, and what no
order tells is left open. Which entry is odd is not judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError, ModelError, check
from deeplog_nb.sessions.windows import Ints, sequences
from deeplog_nb.workflow.automaton import Task
from deeplog_nb.workflow.conformance import Conformance
from deeplog_nb.workflow.cooccurrence import PAIRS, by_cooccurrence, shown
from deeplog_nb.workflow.diagnose import Doctor
from deeplog_nb.workflow.dot import to_dot
from deeplog_nb.workflow.edges import edges_frame, steps_frame
from deeplog_nb.workflow.entries import Entries, Mask, at_random
from deeplog_nb.workflow.expression import expression
from deeplog_nb.workflow.following import following
from deeplog_nb.workflow.joining import joined_runs
from deeplog_nb.workflow.kinds import Keys
from deeplog_nb.workflow.learning import Learnt, learn
from deeplog_nb.workflow.located import Located, Waits
from deeplog_nb.workflow.options import DISTANCE, background_in, distance_in, known_to, share
from deeplog_nb.workflow.predictions import NextKeys, Predictor
from deeplog_nb.workflow.replay import Tasks
from deeplog_nb.workflow.runs import Runs
from deeplog_nb.workflow.separation import by_prediction
from deeplog_nb.workflow.store import read_workflow, write_workflow
from deeplog_nb.workflow.suggestion import Suggestion, suggest
from deeplog_nb.workflow.texts import Texts, line, texts_of, without_beginning
from deeplog_nb.workflow.trace import trace
from deeplog_nb.workflow.waits import seconds, waits
from deeplog_nb.workflow.way import Way, walk
from deeplog_nb.workflow.xes import to_xes


@dataclass(frozen=True, repr=False, eq=False)
class Workflow:
    """The tasks of a log; :meth:`from_model` and :meth:`from_cooccurrence` learn them."""

    tasks: tuple[Task, ...]  # the most frequent first; task t is ``tasks[t - 1]``
    steps: pl.DataFrame  # STEPS
    edges: pl.DataFrame  # EDGES
    following: pl.DataFrame  # task, next, count, share: which task comes behind which; 0 = a session's begin and end
    pairs: pl.DataFrame  # distance, key, other, forward, backward: p_d, where it was learnt from co-occurrence
    background: tuple[int, ...]  # keys that come at random places and belong to no task
    templates: Texts | None = None  # what the keys say
    source: str = ""  # how it was learnt
    model: str | None = None  # digest of the templates that the keys are of; null where not known

    @classmethod
    def from_model(
        cls,
        sessions: pl.DataFrame,
        models: NextKeys | Sequence[NextKeys],
        *,
        tau: float = 0.9,
        least: float = 0.02,
        background: Collection[int] | None = None,
        templates: Templates | Texts | None = None,
    ) -> Workflow:
        """Learn the tasks from what fitted models predict (paper, 4.2).

        ``sessions`` are SESSIONS, each with one task or several one after another; one session is a whole log.
        ``models`` is a fitted KeyModel or NGram, or several with other history lengths: of each history the most
        certain prediction is taken. What is predicted with probability ``tau`` is certain; of a rare key the models
        are told what the sessions show after it. What fewer than the ``least`` share of a task's runs do is not drawn;
        nor is a task with a smaller share of the entries.
        ``background`` are keys that belong to no task; by default those that come at random places.
        The last run of a session that the log cut off is left out; of a task that such runs alone show, as that of a
        file that is one loop, only the turn that was not finished. Where a log has but two short tasks, of up to three
        keys, and they share a key, they may be drawn as threads of one task.

        >>> import deeplog_nb as dl
        >>> keys = np.array([57, 18, 56, 31] * 30 + [57, 56, 18, 31] * 10)
        >>> sessions = dl.from_keys(keys, np.arange(0, 161, 4)).sessions
        >>> dl.Workflow.from_model(sessions, dl.NGram(1).fit(sessions))
        Workflow of 1 task and 4 keys, learnt from predictions, tau 0.9
        1 (40 runs): 57 -> (18 || 56) -> 31
        """
        predictor = Predictor(models)
        cut = _Cut.of(sessions, background)
        known_to(predictor.vocabulary, cut.entries)
        begins = by_prediction(cut.entries, predictor, tau=share(tau, "tau"), without=cut.background)
        return _workflow(sessions, cut, begins, tau, least, templates, f"predictions, tau {tau:g}")

    @classmethod
    def from_cooccurrence(
        cls,
        sessions: pl.DataFrame,
        *,
        tau: float = 0.9,
        distance: int = DISTANCE,
        least: float = 0.02,
        background: Collection[int] | None = None,
        templates: Templates | Texts | None = None,
    ) -> Workflow:
        """Learn the tasks from how often keys come near one another, without a model (paper, 4.3).

        Two keys are bound where the share ``tau`` of the one has the other within the ``distance``, in different keys.
        Else as in :meth:`from_model`; a short task beside but one other, which has a loop, is drawn as its thread as
        well. With tau = 1 it fails where background entries are left in, as the paper says.

        >>> import deeplog_nb as dl
        >>> sessions = dl.from_keys(np.array([26, 37, 39, 40, 39, 40] * 10), np.arange(0, 61, 6)).sessions
        >>> dl.Workflow.from_cooccurrence(sessions)
        Workflow of 1 task and 4 keys, learnt from co-occurrence, tau 0.9
        1 (10 runs): 26 -> 37 -> (39 -> 40)*
        """
        cut = _Cut.of(sessions, background)
        distance = distance_in(cut.whole, distance)
        begins = by_cooccurrence(cut.entries, tau=share(tau, "tau"), distance=distance)
        found = _workflow(sessions, cut, begins, tau, least, templates, f"co-occurrence, tau {tau:g}")
        return replace(found, pairs=shown(cut.whole, distance))

    def cooccurrence(self, distance: int) -> pl.DataFrame:
        """``key, other, forward, backward``: ``p_d`` as the paper defines it, of the pairs that met within d.

        ``f_d(key, other) / (distance * f(key))``, with the other one after the key and before it. The tests use
        ``distance * p_d``.
        """
        if not self.pairs["distance"].is_in([distance]).any():
            built = int(self.pairs["distance"].max() or 0)  # type: ignore[arg-type]
            raise InputError(f"there is no matrix for distance {distance}; from_cooccurrence built those up to {built}")
        return self.pairs.filter(distance=distance).drop("distance")

    def suggest(self) -> Suggestion:
        """The smallest sensible history and g for a key model, each with its reason (paper, 4.4)."""
        return suggest(self.tasks, self._shown(self.templates))

    def diagnose(self, verdicts: pl.DataFrame, *, templates: Templates | Texts | None = None) -> pl.DataFrame:
        """DIAGNOSES of the anomalous rows of these VERDICTS (paper, 4.4): what was expected, what came, a sentence.

        Give all rows of the sessions, as ``judge`` made them. ``templates`` say what the keys mean (default: those that
        the workflow was learnt with). What each column holds is said in ``frames.DIAGNOSES``. ModelError where the
        verdicts are known to be of other templates, for their keys mean other messages.
        """
        _check_templates(verdicts, self.model)
        texts = texts_of(templates) if templates is not None else self.templates
        return Doctor(Located(self._tasks, self._waits), self._shown(texts)).diagnose(verdicts)

    def conformance(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """``session, count, fits, position, key``: whether the tasks can produce each session, or where not."""
        return Conformance(self._tasks).check(sessions)

    def trace(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """The sessions with ``task, step, run, fits`` of each entry, as the tasks explain them best."""
        return trace(self._tasks, sessions)

    def walk(self, keys: Sequence[int], *, open_: bool = False) -> Way:
        """The edges that a session with these keys takes, and where it leaves; an ``open_`` one may end anywhere."""
        return walk(self._tasks, keys, open_=open_)

    def sessions_of(self, task: int, sessions: pl.DataFrame) -> list[str]:
        """The names of the sessions that run the task."""
        return self.trace(sessions).filter(task=task)["session"].unique(maintain_order=True).to_list()

    def to_dot(self) -> str:
        """The graph in the DOT language."""
        return to_dot(self.steps, self.edges, self._shown(self.templates))

    def to_xes(self, sessions: pl.DataFrame) -> str:
        """The sessions as an event log in XES (IEEE 1849), each entry with its task and step."""
        return to_xes(self.trace(sessions), self.templates)

    def save(self, path: Path | str) -> None:
        """Write the workflow as JSON, with a digest."""
        write_workflow(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Workflow:
        """Read what :meth:`save` wrote; refuses what is broken or was changed."""
        return cls(**read_workflow(Path(path)))

    def __repr__(self) -> str:
        keys = sorted({key for task in self.tasks for key in task.keys})
        tasks = f"{len(self.tasks)} task{'s' * (len(self.tasks) != 1)}"
        head = f"Workflow of {tasks} and {len(keys)} keys, learnt from {self.source}"
        runs = self.steps.filter(step=0)["count"].to_list()
        lines = [f"{at} ({runs[at - 1]:,} runs): {expression(task)}" for at, task in enumerate(self.tasks, 1)]
        noise = [f"background: {', '.join(map(str, self.background))}"] * bool(self.background)
        said = self._shown(self.templates) or {}
        texts = [f"{key:>5} {line(said[key].strip())}" for key in keys if key in said]
        none = ["no run of a task came to its end: give sessions that hold whole runs"] * (not self.tasks)
        return "\n".join([head, *lines, *none, *noise, *texts])

    def _shown(self, texts: Texts | None) -> Texts | None:
        return without_beginning(texts, (key for task in self.tasks for key in task.keys))

    @cached_property
    def _tasks(self) -> Tasks:
        shares = {(own, other): part for own, other, part in self.following.select("task", "next", "share").rows()}
        return Tasks(self.tasks, shares, frozenset(self.background))

    @cached_property
    def _waits(self) -> Waits:
        rows = self.edges.select("task", "source", "target", "median_elapsed", "p99_elapsed").rows()
        return {(task, source, target): (median, late) for task, source, target, median, late in rows}


@dataclass(frozen=True)
class _Cut:
    """The entries of the sessions, and those that belong to a task."""

    whole: Entries
    kept: Mask
    background: tuple[int, ...]
    of_session: pl.DataFrame

    @classmethod
    def of(cls, sessions: pl.DataFrame, background: Collection[int] | None) -> _Cut:
        distinct = sequences(sessions)
        whole = Entries.of(distinct)
        noise = at_random(whole) if background is None else background_in(whole, background)
        return cls(whole, ~np.isin(whole.keys, [0, *noise]), noise, distinct.of_session)  # 0 fits no template

    @cached_property
    def entries(self) -> Entries:
        return self.whole.only(self.kept)

    @property
    def places(self) -> Ints:
        """The place of each kept entry in its sequence."""
        starts = np.cumsum(self.whole.lengths) - self.whole.lengths
        places: Ints = (np.arange(len(self.whole.keys)) - starts[self.whole.rows])[self.kept]
        return places


def _workflow(
    sessions: pl.DataFrame,
    cut: _Cut,
    begins: Mask,
    tau: float,
    least: float,
    templates: Templates | Texts | None,
    source: str,
) -> Workflow:
    found = joined_runs(cut.entries, begins, tau=tau)
    tasks = _learnt(found, share(least, "least"))
    learnt = list(tasks.values())
    waited = waits(found, tasks, cut.places, cut.entries.rows, cut.of_session, seconds(sessions))
    return Workflow(
        tuple(each.task for each in learnt),
        steps_frame(learnt),
        edges_frame(learnt, waited),
        following(found, cut.entries, {kind: number for number, kind in enumerate(tasks, 1)}),
        pl.DataFrame(schema=PAIRS),
        cut.background,
        texts_of(templates),
        source,
        templates.digest if isinstance(templates, Templates) else None,
    )


def _check_templates(verdicts: pl.DataFrame, model: str | None) -> None:
    """Refuse verdicts of another detector."""
    named = check(verdicts, {}, "verdicts").columns
    others = verdicts["model"].drop_nulls().unique().to_list() if model and "model" in named else []
    if any(each != model for each in others):
        told = ", ".join(sorted(each[:8] for each in others))
        raise ModelError(
            f"the verdicts are of templates {told}, the workflow's are {str(model)[:8]}: there the same key is another "
            "message; judge with the detector whose sessions the workflow was learnt from"
        )


def _learnt(found: Runs, least: float) -> dict[int, Learnt]:
    """Each type's automaton, but for those with less than the ``least`` share of the entries."""
    counts = found.counts.tolist()
    entries = Counter[int]()
    for variant, kind, count in zip(found.variants, found.types.tolist(), counts, strict=True):
        entries[kind] += count * len(variant)
    bound = least * entries.total()
    own: dict[int, list[tuple[Keys, int]]] = {kind: [] for kind in sorted(entries) if entries[kind] >= max(bound, 1)}
    for variant, kind, count in zip(found.variants, found.types.tolist(), counts, strict=True):
        if kind in own:
            own[kind].append((variant, count))
    return {kind: learn(variants, least) for kind, variants in own.items()}
