"""What a workflow is shown as and written to: nothing that a log says gets out of its quotes."""

import xml.etree.ElementTree as ET
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.frames import SESSIONS
from deeplog_nb.workflow.dot import to_dot
from deeplog_nb.workflow.texts import line, without_beginning
from deeplog_nb.workflow.workflow import Workflow
from deeplog_nb.workflow.xes import to_xes

HOSTILE = 'x"]; evil [label="<script>alert(1)</script>\\" \x1b[2J\x00\u202e\ud800 </string> &amp; ]]> {}'
SPACE = {"x": "http://www.xes-standard.org/"}


@pytest.fixture
def rows(sessions):
    return sessions(*[[1, 2, 3]] * 10)


def test_the_repr_reads_like_the_paper(sessions):
    """A line a task, then what the keys say, without the beginning that all of them share."""
    keys = {44: "[vm] Attempting claim", 54: "[vm] Took <*> seconds", 18: "[vm] VM Resumed", 25: "[vm] During sync"}
    workflow = Workflow.from_cooccurrence(sessions(*[[44, 18, 25, 54], [44, 25, 18, 54]] * 20), templates=keys)
    assert repr(workflow).splitlines() == [
        "Workflow of 1 task and 4 keys, learnt from co-occurrence, tau 0.9",
        "1 (40 runs): 44 -> (18 || 25) -> 54",
        "   18 VM Resumed",
        "   25 During sync",
        "   44 Attempting claim",
        "   54 Took <*> seconds",
    ]


def test_no_control_character_gets_into_the_repr(rows):
    """Terminals obey them; they are written out, and long texts are clipped."""
    text = repr(Workflow.from_cooccurrence(rows, templates={1: HOSTILE, 2: "y" * 999, 3: ""}))
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert max(map(len, text.splitlines())) < 130


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_a_line_is_one_line(text):
    """Whatever is in it."""
    assert line(text).isprintable()


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_no_text_gets_out_of_its_quotes_in_dot(text):
    """Outside of quoted strings the graph is the same, whatever the template."""
    steps = pl.DataFrame({"task": [1, 1], "step": [0, 1], "key": [None, 5], "count": [3, 3]})
    edges = pl.DataFrame(
        {"task": [1], "source": [0], "target": [1], "kind": ["next"], "share": [1.0], "median_elapsed": [2.5]}
    )
    outside = [part for at, part in enumerate(unquoted(to_dot(steps, edges, {5: text}))) if at % 2 == 0]
    assert outside == [part for at, part in enumerate(unquoted(to_dot(steps, edges, None))) if at % 2 == 0]


def unquoted(dot):
    """The graph cut at its quotes, those that are escaped left alone."""
    parts, at, inside = [""], 0, False
    while at < len(dot):
        if inside and dot[at] == "\\":
            parts[-1] += dot[at : at + 2]
            at += 2
            continue
        if dot[at] == '"':
            parts.append("")
            inside = not inside
        else:
            parts[-1] += dot[at]
        at += 1
    return parts


def test_dot_has_every_step_and_edge(sessions):
    """A cluster a task, a style a kind."""
    workflow = Workflow.from_cooccurrence(sessions(*[[1, 2, 3, 4], [1, 3, 2, 4], [1, 2, 2, 3, 4]] * 20))
    dot = workflow.to_dot()
    assert dot.count("subgraph cluster_") == 1
    assert dot.count(" -> ") == workflow.edges.height
    assert dot.count("style=bold") == 4
    assert dot.count("style=dotted") == 1


def test_xes_holds_every_entry_with_its_task_and_time(rows):
    """One trace a session; concept:name, time:timestamp, key, task, step."""
    timed = rows.with_columns(time=pl.lit(datetime(2026, 3, 2, 1, 2, 3, 450_000)))
    log = ET.fromstring(Workflow.from_cooccurrence(rows, templates={1: "eins"}).to_xes(timed))
    assert len(log.findall("x:trace", SPACE)) == 10
    event = log.find("x:trace/x:event", SPACE)
    assert [(each.get("key"), each.get("value")) for each in event] == [
        ("concept:name", "eins"),
        ("time:timestamp", "2026-03-02T01:02:03.450000+00:00"),
        ("key", "1"),
        ("task", "1"),
        ("step", "1"),
    ]


def test_hostile_names_and_texts_are_still_xml(rows):
    """Markup is escaped, what XML forbids is written out, and nothing is added to the log."""
    named = rows.with_columns(session=pl.lit("a\x00<b>&\x1b'\""))
    log = ET.fromstring(Workflow.from_cooccurrence(rows, templates={1: HOSTILE}).to_xes(named))
    assert len(log.findall("x:trace", SPACE)) == 1
    name = log.find("x:trace/x:event/x:string", SPACE).get("value")
    assert name.startswith('x"]; evil [label="<script>')
    assert "\\x1b[2J\\x00" in name


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_well_formed_xml(text):
    """The parser takes it, and what XML allows comes back as it was."""
    rows = pl.DataFrame({"session": ["a"], "key": [5], "task": [1], "step": [1]})
    log = ET.fromstring(to_xes(rows, {5: text}))
    assert len(log.findall("x:trace/x:event", SPACE)) == 1


def test_no_sessions_are_an_empty_log(rows):
    """Still XES."""
    assert ET.fromstring(Workflow.from_cooccurrence(rows).to_xes(rows.clear())).findall("x:trace", SPACE) == []
    assert set(SESSIONS) <= set(rows.columns)


def test_shared_beginnings_are_whole_words():
    """Half a word is never cut off, and a single text keeps all of its own."""
    assert without_beginning({1: "VM Started", 2: "VM Stopped"}, [1, 2]) == {1: "Started", 2: "Stopped"}
    assert without_beginning({1: "VM Started"}, [1]) == {1: "VM Started"}
    assert without_beginning({1: "Start", 2: "Stop"}, [1, 2]) == {1: "Start", 2: "Stop"}
