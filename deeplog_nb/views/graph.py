"""A workflow to look at, and the path of one session painted over it: what is drawn of it, and what is said.

How it is drawn is in ``compose``, how it shows itself in ``figure``; which steps a task has, in ``workflow``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import DIAGNOSES, EDGES, SESSIONS, STEPS, InputError, check
from deeplog_nb.views.axes import counted, duration, percent
from deeplog_nb.views.band import Words
from deeplog_nb.views.compose import compose
from deeplog_nb.views.figure import Graph
from deeplog_nb.views.lettering import LIMIT, short
from deeplog_nb.views.marks import Painted, painted
from deeplog_nb.views.selection import MOST, select
from deeplog_nb.views.text import gist
from deeplog_nb.workflow.drawn import Drawn
from deeplog_nb.workflow.way import Way

LEAST: Final = 0.01  # share of what leaves a step, below which an edge is hidden
NAME: Final = 140  # characters of a step in a box
GLOSS: Final = ("width: how often", "label: share and median time", "plates: numbers of the session’s entries")
BRIEF: Final = 60  # in a sentence
LEARN: Final = "Workflow.from_model(sessions, detector.keys, templates=detector.templates)"
ONE: Final = "sessions.filter(pl.col('session') == 'its name')"


@runtime_checkable
class Drawable(Protocol):
    """What is needed of a workflow."""

    @property
    def steps(self) -> pl.DataFrame:
        """STEPS."""
        ...

    @property
    def edges(self) -> pl.DataFrame:
        """EDGES."""
        ...


@runtime_checkable
class Walkable(Drawable, Protocol):
    """A workflow that knows its tasks; of one that does not, they are built from its frames."""

    def walk(self, keys: Sequence[int], *, open_: bool = False) -> Way:
        """The way that a session with these keys took."""
        ...


def graph(
    workflow: Drawable,
    session: pl.DataFrame | None = None,
    *,
    templates: Templates | Mapping[int, str] | None = None,
    least: float = LEAST,
    full: bool = False,
) -> Graph:
    """The workflow drawn from top to bottom, task below task, the width of an edge by how often it was taken.

    ``session`` is one session of SESSIONS or VERDICTS, painted over with the numbers of its entries and the place
    where it leaves the workflow, or one row of DIAGNOSES. ``templates`` give the steps their texts, where
    the workflow does not have them; keys in its ``background`` are passed over.
    Edges with less than ``least`` of what leaves their step are hidden, and of more than 150 steps those far from
    the finding; of more than 40 edges in a task, and more than 2 for each of its steps, the rarest, unless ``full``.
    All this is said. Raises FrameError where columns are missing, InputError for what is no workflow, anything but
    one session, an empty workflow, or a ``least`` that is no share.

    >>> from types import SimpleNamespace
    >>> steps = pl.DataFrame([(1, 0, None, 3), (1, 1, 7, 3), (1, 2, 8, 3)], schema=STEPS, orient="row")
    >>> ends = [(1, 0, 1, "next", 3, 1.0, None, None), (1, 2, 0, "next", 3, 1.0, None, None)]
    >>> edges = pl.DataFrame([*ends, (1, 1, 2, "next", 3, 1.0, 0.5, 0.9)], schema=EDGES, orient="row")
    >>> graph(SimpleNamespace(steps=steps, edges=edges))
    1 task with 2 steps, begun 3 times
    Task 1: begin → key 7 (next)
    Task 1: key 8 → end (next)
    Task 1: key 7 → key 8 (next, 500 ms)
    """
    if not 0 <= least <= 1:
        raise InputError(f"least is {least}; it is a share of what leaves a step, from 0 to 1")
    if not isinstance(workflow, Drawable):
        raise InputError(f"workflow is {_kind(workflow)}; a graph is drawn of a Workflow: {LEARN}")
    steps, edges = check(workflow.steps, STEPS, "steps"), check(workflow.edges, EDGES, "edges")
    if not len(edges):
        raise InputError("the workflow has no edges: there is nothing to draw; learn it from more sessions")
    found, mark, said, unseen = _painted(workflow, session)
    words = _words(templates or getattr(workflow, "templates", None), unseen)
    kept = select(steps, edges, found, least=least, most=None if full else MOST)
    title = said or _sentence(steps, found, words, _named(session))
    about = " · ".join([*kept.hidden, *GLOSS[: 3 if found and any(found.visits.values()) else 2]])
    scene = compose(kept.steps, kept.edges, found, words, mark, title=title, subtitle=about)
    whole = _with_taken(edges, found)
    return Graph(scene, whole, title, _rows(steps, whole, kept.listed, words), kept.hidden, len(kept.edges))


def _words(templates: Templates | Mapping[int, str] | None, unseen: str) -> Words:
    def text(key: int) -> str:
        if unseen and not key:
            return unseen
        unknown = f"key {key}" if key else "a message that fits no known template"
        said = templates.text(key) if isinstance(templates, Templates) else (templates or {}).get(key, unknown)
        return said[: 8 * LIMIT]

    return Words(lambda key: short(gist(text(key), NAME)), text)


def _painted(workflow: Drawable, session: pl.DataFrame | None) -> Painted:
    """What of this session is painted, and what its diagnosis says."""
    if session is not None and not isinstance(session, pl.DataFrame):
        raise InputError(f"session is {_kind(session)}; give the rows of one, or one row of DIAGNOSES: {ONE}")
    if session is None or "last_good" not in session.columns:
        return Painted(None if session is None else _way(workflow, session), None, "", _unseen(session))
    found = painted(check(session, DIAGNOSES, "session"), workflow.steps, workflow.edges)
    told = found.said or ("" if found.way and found.mark is None else "an alarm that no task has a place for")
    return found._replace(said=f"Session {_named(session)}: {told}" if told else "")


def _way(workflow: Drawable, session: pl.DataFrame) -> Way:
    entries = check(session, SESSIONS, "session").drop_nulls("key").sort("position")
    many = entries["session"].n_unique()
    if not many:
        raise InputError("session holds no entry: none has that name; sessions['session'].unique() has the names")
    if many > 1:
        raise InputError(f"session holds {counted(many, 'session')}; give one: {ONE}")
    walker = (
        workflow
        if isinstance(workflow, Walkable)
        else Drawn.of(workflow.steps, workflow.edges, background=getattr(workflow, "background", ()))
    )
    return walker.walk(entries["key"].to_list(), open_=bool(entries["open"].any()))


def _kind(given: object) -> str:
    """What was given, as an error says it."""
    if isinstance(given, str):
        return f"the text ‘{short(given[:BRIEF])}’"
    return f"of type {type(given).__name__}"


def _unseen(session: pl.DataFrame | None) -> str:
    """The first message of the session that fits no template, or its shape, where the frame has it."""
    if session is None or not {"text", "shape"} & set(session.columns):
        return ""
    given = [pl.col(name) for name in ("text", "shape") if session.schema.get(name) == pl.String]
    texts = session.filter(pl.col("key") == 0).sort("position").select(pl.coalesce(*given, pl.lit(""))).to_series()
    return str(texts[0])[: 8 * LIMIT] if len(texts) else ""


def _named(session: pl.DataFrame | None) -> str:
    return "" if session is None else short(str(session["session"][0]))


def _sentence(steps: pl.DataFrame, found: Way | None, words: Words, name: str) -> str:
    """The finding."""

    def named(key: int) -> str:
        return f"‘{gist(words.name(key), BRIEF)}’"

    if found is None:
        tasks, many = steps["task"].n_unique(), steps.filter(pl.col("step") > 0).height
        begun = int(steps.filter(pl.col("step") == 0)["count"].sum())
        return f"{counted(tasks, 'task')} with {counted(many, 'step')}, begun {counted(begun, 'time')}"
    if found.left is None:
        return f"Session {name} follows the workflow to its end, in {counted(found.entries, 'step')}"
    task, step = found.left
    key = steps.filter(pl.col("task") == task, pl.col("step") == step)["key"]
    after = "at its begin" if not step else f"after {named(key[0] or 0)}"
    expected = " or ".join("the end" if each is None else named(each) for each in found.expected[:3])
    expected += f" or {len(found.expected) - 3} more" if len(found.expected) > 3 else ""
    came = "it ended" if found.came is None else f"{named(found.came)} came"
    return f"Session {name} leaves task {task} {after}: {came} instead of {expected}"


def _with_taken(edges: pl.DataFrame, found: Way | None) -> pl.DataFrame:
    if found is None:
        return edges
    rows = [(*edge, numbers) for edge, numbers in found.taken.items()]
    kinds = {name: EDGES[name] for name in ("task", "source", "target")} | {"taken": pl.List(pl.UInt32())}
    taken = pl.DataFrame(rows, schema=kinds, orient="row")
    return edges.join(taken, on=["task", "source", "target"], how="left", maintain_order="left")


def _rows(steps: pl.DataFrame, edges: pl.DataFrame, kept: pl.DataFrame, words: Words) -> tuple[tuple[str, ...], ...]:
    """The edges drawn as texts: task, from, to, kind, times, share, median, 99 %, and the session's entries."""
    names = {
        (task, step): words.name(key or 0) for task, step, key in steps.select("task", "step", "key").rows() if step
    }
    shown = edges.join(
        kept.select("task", "source", "target"), on=["task", "source", "target"], how="semi", maintain_order="left"
    )
    rows = []
    for row in shown.to_dicts():
        task = row["task"]
        ends = names.get((task, row["source"]), "begin"), names.get((task, row["target"]), "end")
        share = percent(row["share"]) if row["share"] < 1 else ""
        times = ("" if row[each] is None else duration(row[each]) for each in ("median_elapsed", "p99_elapsed"))
        taken = [", ".join(map(str, row["taken"] or []))] if "taken" in row else []
        rows.append((f"Task {task}", *ends, row["kind"], f"{row['count']:,}", share, *times, *taken))
    return tuple(rows)
