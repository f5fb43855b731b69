from __future__ import annotations

import polars as pl

from deeplog_nb.views.graph import graph
from tests.views.workflows import dense, session, workflow


def test_rare_edges_are_hidden_and_counted_unless_asked_for() -> None:
    """Three of 500 is under 1 %; ``least=0`` draws it, and the data always has it."""
    few, every = graph(workflow()), graph(workflow(), least=0)
    assert few.hidden == ("1 of 10 edges hidden, under 1.0 %",)
    assert (len(few.rows), len(every.rows), every.hidden) == (9, 10, ())
    assert len(few.data()) == 10


def test_where_every_edge_is_hidden_it_is_said() -> None:
    """Of twenty steps that fork everywhere, no edge is taken by all: the picture is empty, and says why."""
    drawn = graph(dense(20), least=1)
    assert drawn.hidden == ("440 of 440 edges hidden, under 100 %", "20 of 20 steps that only they reach")
    assert drawn.png()


def test_what_the_session_took_is_shown_however_rare() -> None:
    """An edge under the bound that this session took."""
    drawn = graph(workflow(), session(44, 51, 56))
    assert drawn.hidden == ()
    taken = drawn.data().filter(pl.col("taken").is_not_null())
    assert taken.select("source", "target", "taken").rows() == [(0, 1, [1]), (1, 2, [2]), (2, 6, [3]), (6, 0, [])]


def test_only_the_tasks_of_the_session_are_drawn_unless_all_are_asked_for() -> None:
    """The second task, where it left; the first is said to be left out, and ``full=True`` draws it."""
    two = workflow(
        (((1, "a"),), [(0, 1, "next", 9, None), (1, 0, "next", 9, None)]),
        (((2, "b"),), [(0, 1, "next", 5, None), (1, 0, "next", 5, None)]),
    )
    drawn = graph(two, session(2, 3))
    assert [text.text for text in drawn.scene.texts if text.text.startswith("Task")] == ["Task 2"]
    assert drawn.hidden[0] == "1 of 2 tasks, those of this session, drawn"
    assert len(graph(two, session(2, 3), full=True).scene.grounds) == 2


def test_of_many_steps_those_near_the_finding_are_drawn() -> None:
    """Four hundred in a chain: 150 around the place where the session left, said so; all of them with ``full``."""
    keys = [(n, f"step {n}") for n in range(1, 401)]
    long = workflow((keys, [(n, (n + 1) % 401, "next", 9, None) for n in range(401)]))
    drawn = graph(long, session(*range(1, 201), 999))
    shown = {box.lines[0] for box in drawn.scene.boxes if box.lines}
    assert {"step 200", "step 201"} <= shown
    assert "step 400" not in shown
    assert drawn.hidden == ("150 of 401 steps nearest to the finding drawn, full=True draws all",)
    assert len(graph(long, full=True).scene.boxes) == 402


def test_of_too_many_edges_the_most_frequent_are_drawn() -> None:
    """Of 440 between 20 steps 40: all steps are there, text and picture say how many are not, the table has all."""
    drawn = graph(dense(20), least=0)
    assert len(drawn.scene.lines) == 40
    assert len(drawn.scene.boxes) == 22
    said = "40 of 440 edges drawn, the most frequent of each step; the other 400 are in the table, full=True draws all"
    assert drawn.hidden == (said,)
    assert said.split(";")[0] in " ".join(text.text for text in drawn.scene.texts)
    assert "The 440 edges, 40 of them drawn, as a table" in drawn.html()
    assert drawn.html().count("<tr>") == 1 + 440
    assert len(graph(dense(20), least=0, full=True).scene.lines) == 440
