from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.views.figure import Graph
from deeplog_nb.views.graph import graph
from deeplog_nb.views.lettering import short
from deeplog_nb.views.svg import svg
from tests.views.workflows import HOSTILE, diagnosis, session, workflow

SLOW = "From ‘Claim successful’ to ‘Creating image’ took 5 s, usually 1.2 s: ‘Claim successful’ was slow."


def looks(drawn: Graph) -> dict[str, str]:
    """How each box looks, by its first line."""
    return {box.lines[0]: box.look for box in drawn.scene.boxes if box.lines}


def test_a_slow_step_is_marked_where_it_was_slow() -> None:
    """A timing alarm: the diagnosis's own sentence, the edge as slow with its time and in the legend."""
    drawn = graph(workflow(), diagnosis("timing", sentence=SLOW))
    assert drawn.sentence == f"Session 9a1e-07: {SLOW}"
    (line,) = (line for line in drawn.scene.lines if line.taken)
    assert (line.kind, line.label) == ("slow", "5 s, usually 1.2 s")
    assert "slower than usual" in {text.text for text in drawn.scene.texts}
    assert (looks(drawn)["came late: Creating image"], "came" in looks(drawn).values()) == ("odd", False)


def test_what_came_too_early_is_not_called_slow() -> None:
    """A wait far under the usual one has its own line in the legend."""
    drawn = graph(workflow(), diagnosis("timing", elapsed=0.01))
    assert [line.kind for line in drawn.scene.lines if line.taken] == ["quick"]
    assert "came early: Creating image" in looks(drawn)


def test_the_edge_that_was_slow_before_is_marked_with_a_value() -> None:
    """A value alarm marks its step, and the slowest edge of the run where the diagnosis names one."""
    drawn = graph(workflow(), diagnosis("value", slow=[44, 51], sentence="used 84,221 MB"))
    assert looks(drawn)["unusual value: Creating image"] == "odd"
    assert [(line.kind, line.label) for line in drawn.scene.lines if line.taken] == [
        ("slow", "slow, usually 4 ms"),
        ("next", "99 % · 1.2 s"),
    ]
    assert drawn.sentence == "Session 9a1e-07: used 84,221 MB"


def test_a_slow_edge_is_labelled_as_one_of_time() -> None:
    """How long it took and what is usual, as the label of a timing alarm has it."""
    drawn = graph(workflow(), diagnosis("value", slow=[44, 51], slow_elapsed=1051.4))
    assert [line.label for line in drawn.scene.lines if line.kind == "slow"] == ["17.5 min, usually 4 ms"]


@pytest.mark.parametrize("text", ["disk on fire", *HOSTILE[:12]])
def test_an_unseen_message_is_shown(text: str) -> None:
    """The box has the message's text, of the diagnosis or of the session, and nothing runs of it."""
    text = text.replace("\ud800", "")  # no frame holds it
    walked = session(44, 51, 0).with_columns(text=pl.when(pl.col("key") == 0).then(pl.lit(text, pl.String)))
    told = f"Came in between: {short(text)} (key 0)"
    for drawn in (graph(workflow(), diagnosis("unseen", seen=0, text=text)), graph(workflow(), walked)):
        assert told in [box.title for box in drawn.scene.boxes]
        assert "no known template" not in str(svg(drawn.scene))


def test_the_subtitle_tells_of_plates_where_there_are_some() -> None:
    """A diagnosis where the session left the workflow numbers no entry; the session's own graph does."""
    told = [
        any("plates" in text.text for text in graph(workflow(), shown).scene.texts)
        for shown in (diagnosis("unlikely", seen=99), diagnosis("timing"), session(44, 51, 99), None)
    ]
    assert told == [False, True, True, False]


def test_the_expected_step_of_another_thread_is_marked() -> None:
    """What the diagnosis expects is dashed where it stands beside the last step, in a session's graph too."""
    drawn = graph(workflow(), diagnosis("unlikely", last_good=4, expected=[25], seen=44))
    expected = "During sync_power_state the instance"
    assert [line for line, look in looks(drawn).items() if look == "expected"] == [expected]
    walked = graph(workflow(), session(44, 51, 52, 18, 44))
    assert looks(walked)[expected] == "expected"
    assert "or ‘During sync_power_state" in walked.sentence


def test_what_is_expected_is_drawn_however_rare() -> None:
    """An edge under ``least`` is no reason to hide the step that should have come."""
    drawn = graph(workflow(), diagnosis("unlikely", expected=[52], seen=44), least=1)
    assert looks(drawn)["Creating image"] == "expected"


def test_what_is_usual_is_not_cut_off() -> None:
    """The longest sentences of a diagnosis, 350 characters and a session's name, stand in the picture to their end."""
    drawn = graph(workflow(), diagnosis("value", sentence="Claim successful " * 20 + "usually 6.66 s."))
    assert " ".join(text.text for text in drawn.scene.texts if text.bold).endswith("usually 6.66 s. Task 1")


def test_a_time_without_a_usual_one_marks_the_step() -> None:
    """Where the edge has no known times, what is odd stands in the box."""
    drawn = graph(workflow(), diagnosis("timing", elapsed=None, usual=None))
    assert looks(drawn)["unusual time: Creating image"] == "odd"
    assert [line.kind for line in drawn.scene.lines if line.taken] == ["next"]


def test_what_is_allowed_but_rare_left_nothing() -> None:
    """The model's alarm on a key that the workflow allows is no divergence."""
    drawn = graph(workflow(), diagnosis("unlikely"))
    assert looks(drawn)["rare here: Creating image"] == "odd"


@pytest.mark.parametrize(
    ("rule", "seen", "box"),
    [
        ("unlikely", 18, "came instead: VM Resumed"),
        ("counts", 18, "came instead: VM Resumed"),
        ("unseen", 0, "came in between: a message"),
        ("ended_early", None, "the session ends here"),
        ("short", None, "the session ends here"),
    ],
)
def test_a_divergence_says_what_came(rule: str, seen: int | None, box: str) -> None:
    """A key that the task does not allow, a message that fits no template, an end before its time."""
    drawn = graph(workflow(), diagnosis(rule, seen=seen, sentence="What the diagnosis says."))
    assert any(line.startswith(box) and look == "came" for line, look in looks(drawn).items())
    assert drawn.sentence == "Session 9a1e-07: What the diagnosis says."


@pytest.mark.parametrize(("rule", "other"), [("counts", {"seen": None}), ("unlikely", {"task": None, "seen": 9})])
def test_what_has_no_place_is_said_and_marks_nothing(rule: str, other: dict[str, int | None]) -> None:
    """Counts of a session as a whole, and entries that no task fits: the plain workflow under the sentence."""
    drawn = graph(workflow(), diagnosis(rule, sentence="No task fits these entries.", **other))
    assert drawn.sentence == "Session 9a1e-07: No task fits these entries."
    assert set(looks(drawn).values()) == {"step", "end"}
    assert not any(line.taken or line.faded for line in drawn.scene.lines)


def test_an_entry_without_a_step_marks_nothing() -> None:
    """A background message at an unusual time is in no task."""
    drawn = graph(workflow(), diagnosis("timing", seen=77))
    assert drawn.sentence == "Session 9a1e-07: an alarm that no task has a place for"
