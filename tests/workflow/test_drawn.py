"""Tasks built from frames: the same way through them as through those that the frames were made of."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from deeplog_nb.data.grammar import walk
from deeplog_nb.frames import EDGES, STEPS
from deeplog_nb.workflow.drawn import Drawn
from deeplog_nb.workflow.workflow import Workflow
from tests.workflow.truth import TASKS


def lives(seed: int, number: int) -> list[list[int]]:
    """Tasks of the generator one after another, the creation of a machine first and its end last."""
    rng = Random(seed)
    middle = [name for name in TASKS if name not in ("create", "delete")]
    names = [["create", *rng.choices(middle, k=3), "delete"] for _ in range(number)]
    told = [[beat.key for name in life for beat in walk(TASKS[name], 0, rng, lambda _: 1)] for life in names]
    key = {name: number for number, name in enumerate(sorted({name for life in told for name in life}), 1)}
    return [[key[name] for name in life] for life in told]


def changed(keys: list[int], rng: Random) -> list[int]:
    """One key left out, put elsewhere, said twice or unknown; or the rest left out; or nothing."""
    at, to = rng.randrange(len(keys)), rng.randrange(len(keys))
    rest = keys[:at] + keys[at + 1 :]
    moved = [*rest[:to], keys[at], *rest[to:]]
    return rng.choice([keys, rest, moved, [*keys[:at], keys[at], *keys[at:]], [*keys[:at], 99, *rest], keys[: at + 1]])


@pytest.mark.parametrize("seed", range(3))
def test_frames_give_the_way_that_their_workflow_gives(sessions, seed: int) -> None:
    """Forks, branches, loops and keys at several steps; sessions as they are, and with one thing wrong."""
    told, rng = lives(seed, 200), Random(seed)
    workflow = Workflow.from_cooccurrence(sessions(*told))
    drawn = Drawn.of(workflow.steps, workflow.edges)
    for keys in told[:60]:
        wrong = changed(keys, rng)
        assert drawn.walk(wrong) == workflow.walk(wrong)


def test_tasks_and_steps_keep_the_numbers_of_the_frames() -> None:
    """Part of a workflow, its tasks and steps not numbered from 1."""
    steps = pl.DataFrame([(7, 0, None, 3), (7, 4, 11, 3), (7, 9, 12, 3)], schema=STEPS, orient="row")
    ends = [(7, 0, 4, "next", 3, 1.0, None, None), (7, 4, 9, "next", 3, 1.0, None, None)]
    edges = pl.DataFrame([*ends, (7, 9, 0, "next", 3, 1.0, None, None)], schema=EDGES, orient="row")
    assert Drawn.of(steps, edges).walk([11, 12]).taken == {(7, 0, 4): (1,), (7, 4, 9): (2,), (7, 9, 0): ()}
    assert Drawn.of(steps, edges).walk([11, 13]).left == (7, 4)


@pytest.mark.parametrize("kind", ["next", "loop", "parallel"])
def test_an_edge_that_leads_back_is_a_loop_whatever_its_kind(kind: str) -> None:
    """Edges in a ring can be walked round and round, and none of them without end."""
    steps = pl.DataFrame([(1, 0, None, 3), (1, 1, 11, 3), (1, 2, 12, 3)], schema=STEPS, orient="row")
    ends = [(1, *ends, kind, 3, 1.0, None, None) for ends in ((0, 1), (1, 2), (2, 1), (2, 2), (2, 0))]
    found = Drawn.of(steps, pl.DataFrame(ends, schema=EDGES, orient="row")).walk([11, 12, 12, 11, 12])
    assert (found.left, found.taken[1, 2, 1], found.taken[1, 2, 2]) == (None, (4,), (3,))


def test_edges_of_steps_that_are_not_there_are_passed_over() -> None:
    """And so is a step without a key, and a task without edges."""
    steps = pl.DataFrame([(1, 0, None, 3), (1, 1, None, 3), (2, 0, None, 1)], schema=STEPS, orient="row")
    ends = [(1, 0, 8, "next", 3, None, None, None), (1, 0, 1, "next", 3, 1.0, None, None)]
    assert Drawn.of(steps, pl.DataFrame(ends, schema=EDGES, orient="row")).walk([5]).left == (1, 0)
