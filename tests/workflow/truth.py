"""Tasks one after another in one sequence, as the generator of OpenStack logs makes them, and their true automata.

The truth is derived from the generator's grammar, so it is an oracle: nothing is learnt here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import numpy as np
import polars as pl

from deeplog_nb.data.grammar import Both, Choice, Node, Seq, Step, Task, repeat, seq, step, task, walk
from deeplog_nb.data.openstack import CREATE, DELETE, PAUSE, RESUME, START, STOP, SUSPEND, UNPAUSE, make_openstack
from deeplog_nb.frames import SESSIONS
from deeplog_nb.workflow.workflow import Workflow

COPY = task(
    "copy", step("copying"), repeat((0, 0.3, 0.4, 0.3), seq(step("chunk_read"), step("chunk_written"))), step("copied")
)
"""A task with a loop, which the generator's have not."""

TASKS = {node.name: node for node in (CREATE, STOP, START, PAUSE, UNPAUSE, SUSPEND, RESUME, DELETE, COPY)}
NOISE = 3  # kinds of background entries

Place = tuple[str, int]  # a key's name, and the how-manieth of that name it is in its task; ("", 0) is begin and end
Edges = dict[tuple[Place, Place], str]


@dataclass(frozen=True)
class Stream:
    """One session, what its keys are called, and where in it which task begins."""

    sessions: pl.DataFrame
    names: dict[int, str]
    tasks: list[str]


def stream(seed: int, vms: int = 200, share: float = 0.02, *, copies: bool = True) -> Stream:
    """The tasks of so many machines one after another, in order of their begin, with background at random places."""
    log = make_openstack(seed, vms=vms, anomalies=0, kinds=(), background=0)
    change = pl.col("task") != pl.col("task").shift(1)
    runs = (
        log.lines.drop_nulls("session")
        .join(log.truth.filter(~pl.col("open")), on="session", how="semi")  # those that the log's end did not cut off
        .with_columns(turn=change.fill_null(True).cum_sum().over("session"))
        .group_by("session", "turn", maintain_order=True)
        .agg("step", pl.col("task").first(), pl.col("line").first())
        .sort("line")
    )
    blocks = list(runs.select("task", "step").rows())
    rng, chance = Random(seed), np.random.default_rng(seed)
    if copies:
        for _ in range(vms):
            blocks.insert(rng.randrange(len(blocks)), ("copy", [beat.key for beat in walk(COPY, 0, rng, lambda _: 1)]))
    names = sorted({name for _, steps in blocks for name in steps})
    key = {name: number for number, name in enumerate(names, 1)}
    keys = np.array([key[name] for _, steps in blocks for name in steps])
    number = round(share * len(keys))
    noise = len(names) + chance.integers(1, NOISE + 1, number)
    noisy = np.insert(keys, np.sort(chance.integers(0, len(keys) + 1, number)), noise)
    rows = {"session": "log", "position": np.arange(len(noisy)), "key": noisy, "count": 1, "open": False}
    frame = pl.DataFrame(rows).cast(dict(SESSIONS)).select(*SESSIONS)
    return Stream(frame, {number: name for name, number in key.items()}, [name for name, _ in blocks])


def true_edges(node: Node) -> Edges:
    """The edges of a task's automaton, each with its kind."""
    found = _Walked(Counter())
    first, last, empty = found.go(node)
    assert not empty
    edges = found.edges | {(("", 0), one) for one in first} | {(one, ("", 0)) for one in last}
    return {edge: found.kind(edge, edges) for edge in edges}


class _Walked:
    """First and last places of each part of the tree, and the edges between its parts."""

    def __init__(self, seen: Counter[str]) -> None:
        self.seen = seen
        self.edges: set[tuple[Place, Place]] = set()
        self.loops: set[tuple[Place, Place]] = set()
        self.together: set[tuple[Place, Place]] = set()

    def go(self, node: Node) -> tuple[set[Place], set[Place], bool]:
        match node:
            case Step(""):
                return set(), set(), True
            case Step(key):
                self.seen[key] += 1
                return {(key, self.seen[key])}, {(key, self.seen[key])}, False
            case Task(_, body):
                return self.go(body)
            case Both(parts):
                return self.both(parts)
            case Choice(weights, parts):
                return self.choice(weights, parts)
            case Seq(parts):
                return self.seq(parts)

    def seq(self, parts):
        first, last, empty = set(), set(), True
        for part in parts:
            begins, ends, may_be_empty = self.go(part)
            self.edges |= {(one, other) for one in last for other in begins}
            first |= begins if empty else set()
            last = ends | (last if may_be_empty else set())
            empty &= may_be_empty
        return first, last, empty

    def both(self, parts):
        threads, first, last = [], set(), set()
        for part in parts:
            known = set(self.places())
            begins, ends, _ = self.go(part)
            threads.append(set(self.places()) - known)
            first, last = first | begins, last | ends
        for one in threads:
            self.together |= {(a, b) for other in threads if other is not one for a in one for b in other}
        return first, last, False

    def choice(self, weights, parts):
        loop = next((part.parts[0] for part in reversed(parts) if isinstance(part, Seq) and len(part.parts) > 1), None)
        if loop is not None and all(isinstance(each, Seq) and set(each.parts) <= {loop} for each in parts):
            first, last, _ = self.go(loop)
            self.loops |= {(one, other) for one in last for other in first}
            self.edges |= self.loops
            return first, last, weights[0] > 0
        ways = [self.go(part) for part in parts]
        return *(set().union(*(way[at] for way in ways)) for at in (0, 1)), any(way[2] for way in ways)

    def places(self):
        return [(key, number) for key, count in self.seen.items() for number in range(1, count + 1)]

    def kind(self, edge, edges):
        source, target = edge
        if edge in self.loops:
            return "loop"
        ahead = [other for own, other in edges - self.loops if own == source]
        behind = [own for own, other in edges - self.loops if other == target]
        if any((target, each) in self.together for each in ahead) or any(
            (source, each) in self.together for each in behind
        ):
            return "parallel"
        return "branch" if len(ahead) > 1 else "next"


def found_edges(workflow: Workflow, names: dict[int, str]) -> list[Edges]:
    """The edges of each task that was found, in the truth's words."""
    tasks = []
    for number in range(1, len(workflow.tasks) + 1):
        places: dict[int, Place] = {0: ("", 0)}
        seen = Counter[str]()
        for step_, key in (
            workflow.steps.filter(pl.col("task") == number, pl.col("step") > 0).select("step", "key").rows()
        ):
            name = names.get(key, f"noise {key}")
            seen[name] += 1
            places[step_] = (name, seen[name])
        rows = workflow.edges.filter(pl.col("task") == number).select("source", "target", "kind").rows()
        tasks.append({(places[source], places[target]): kind for source, target, kind in rows})
    return tasks


def compared(workflow: Workflow, names: dict[int, str], present: set[str]) -> dict[str, float]:
    """Precision and recall of the edges, share of concurrent and loop edges labelled right, and the tasks' numbers.

    A true task is the found one with which it has most edges in common; what is found besides is wrong.
    """
    found, truth = found_edges(workflow, names), {name: true_edges(TASKS[name]) for name in sorted(present)}
    right = kinds = labelled = false_labels = 0
    used: set[int] = set()
    for edges in truth.values():
        common = [(len(edges.keys() & own.keys()), -place) for place, own in enumerate(found) if place not in used]
        best, place = max(common, default=(0, 0))
        own = found[-place] if best else {}
        used |= {-place} if best else set()
        right += best
        marked = {edge for edge, kind in edges.items() if kind in ("parallel", "loop")}
        kinds += len(marked)
        labelled += sum(own.get(edge) == edges[edge] for edge in marked)
        false_labels += sum(kind in ("parallel", "loop") and edges.get(edge) != kind for edge, kind in own.items())
    number = sum(map(len, found))
    return {
        "tasks": len(found),
        "truth": len(truth),
        "precision": right / max(number, 1),
        "recall": right / sum(map(len, truth.values())),
        "labels": labelled / max(kinds + false_labels, 1),
    }
