from __future__ import annotations

import html
import json
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import polars as pl
import pytest

from deeplog_nb.frames import EDGES, STEPS, FrameError, InputError
from deeplog_nb.views.graph import graph
from deeplog_nb.views.network import network
from deeplog_nb.views.scene import KINDS, LOOKS, PALE
from deeplog_nb.views.text import UNSEEN
from deeplog_nb.views.theme import CARD
from deeplog_nb.workflow.way import Way
from tests.views.workflows import HOSTILE, Drawn, diagnosis, hostile, session, workflow

CONTROL = re.compile("[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in UNSEEN if b < 0xD800) + "]")


def picture(page: str) -> str:
    """The SVG in the page's one image, as an XML parser takes it."""
    (source,) = re.findall(r'<img src="data:image/svg\+xml,([^"]*)"', page)
    ElementTree.fromstring(unquote(html.unescape(source)))
    return unquote(html.unescape(source))


def test_a_graph_shows_itself_static_first() -> None:
    """Safe HTML with the picture, words for it and the table, none of which needs the frame; and plain text."""
    bundle = graph(workflow())._repr_mimebundle_()
    assert list(bundle) == ["text/html", "text/plain"]
    outside = re.sub(r"<iframe.*?</iframe>", "", bundle["text/html"], flags=re.DOTALL)
    assert "Claim successful" in picture(outside)
    assert 'alt="Diagram of a workflow. 1 task with 6 steps' in outside
    assert "<table" in outside
    assert "script" not in outside


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<svg"), ("a.html", b"<!doctype"), ("a.HTM", b"<!doctype")]
)
def test_a_file_is_what_its_ending_says(tmp_path: Path, name: str, begins: bytes) -> None:
    """Picture, drawing or page; any other ending is refused, and no file is written."""
    assert graph(workflow()).save(tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(InputError, match=r"saved as .html, .htm, .svg, .png; ‘a.pdf’ has another ending"):
        graph(workflow()).save(tmp_path / "a.pdf")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_png_has_twice_the_pixels() -> None:
    """Sharp in print and at 200 % zoom."""
    drawn = graph(workflow())
    assert struct.unpack(">II", drawn.png()[16:24]) == (2 * drawn.scene.width, 2 * drawn.scene.height)


def test_what_begins_in_any_order_begins_once() -> None:
    """A task of two threads from the begin on is begun as often as it ran, not twice as often."""
    steps = pl.DataFrame([(1, 0, None, 8), (1, 1, 7, 8), (1, 2, 8, 8)], schema=STEPS, orient="row")
    ends = [(1, *ends, "parallel", 8, 1.0, None, None) for ends in ((0, 1), (0, 2), (1, 0), (2, 0))]
    told = graph(Drawn(steps, pl.DataFrame(ends, schema=EDGES, orient="row"), {}))
    assert repr(told).startswith("1 task with 2 steps, begun 8 times")


def test_a_graph_is_a_valid_notebook_output() -> None:
    """The bundle passes the notebook format's own check."""
    data = graph(hostile())._repr_mimebundle_()
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data)], id="a")
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_the_same_workflow_gives_the_same_bytes() -> None:
    """Bundle and file, made twice, are equal: a notebook run again shows no diff."""
    first, second = (graph(workflow(), session(44, 51, 52)) for _ in range(2))
    assert json.dumps(first._repr_mimebundle_()) == json.dumps(second._repr_mimebundle_())


def test_a_graph_stays_within_its_budget() -> None:
    """An output takes less than 200 kB in a notebook; most of it is the vis-network that pyvis ships."""
    for drawn in (graph(workflow()), graph(workflow(), session(44, 51, 99))):
        assert len(json.dumps(drawn._repr_mimebundle_())) < 200_000
    assert len(graph(workflow()).png()) < 100_000


def test_text_says_the_finding_and_every_edge() -> None:
    """What a terminal and a screen reader get: one sentence, then a line an edge."""
    lines = repr(graph(workflow())).splitlines()
    assert lines[0] == "1 task with 6 steps, begun 500 times"
    assert lines[1] == "1 of 10 edges hidden, under 1.0 %"
    assert "Task 1: Claim successful → Creating image (next, 99.4 %, 1.2 s)" in lines
    assert len(lines) == 2 + 9


def test_the_place_where_a_session_leaves_is_marked() -> None:
    """The last step that fits, what was expected and what came, in the picture and in the sentence."""
    drawn = graph(workflow(), session(44, 51, 99))
    assert drawn.sentence == (
        "Session 9a1e-07 leaves task 1 after ‘Claim successful’: ‘key 99’ came instead of ‘Creating image’ or "
        "‘Took … seconds to build instance.’"
    )
    looks = {box.lines[0]: box.look for box in drawn.scene.boxes if box.lines}
    assert looks["Claim successful"] == "last"
    assert looks["Creating image"] == "expected"
    assert looks["came instead: key 99"] == "came"
    assert [line.kind for line in drawn.scene.lines if line.taken][-1] == "off"


def test_entries_are_numbered_where_they_were() -> None:
    """A loop's passes stand together on the plate of its step."""
    drawn = graph(workflow(), session(44, 51, 52, 25, 18, 56, 56, 56))
    orders = {box.lines[0]: box.order for box in drawn.scene.boxes if box.order}
    assert orders["VM Resumed (Lifecycle Event)"] == "5"
    assert orders["Took … seconds to build instance."] == "6, 7, 8"
    assert drawn.sentence == "Session 9a1e-07 follows the workflow to its end, in 8 steps"


def test_a_diagnosis_is_marked_too() -> None:
    """One row of DIAGNOSES, without the session: where it left and what came."""
    drawn = graph(workflow(), diagnosis("unlikely", seen=99))
    assert [line.kind for line in drawn.scene.lines if line.taken] == ["off"]
    assert drawn.sentence.startswith("Session 9a1e-07 leaves task 1 after ‘Claim successful’: ‘key 99’ came")


def test_kinds_of_edges_differ_in_more_than_colour() -> None:
    """No two kinds share their dash, the frame of what comes in any order has its own, and all are named."""
    drawn = graph(workflow(), least=0)
    kinds = {line.kind for line in drawn.scene.lines}
    assert kinds == {"next", "branch", "loop"}
    assert len({dash for _, dash in KINDS.values()}) == len(KINDS)
    assert LOOKS["group"].dash == KINDS["parallel"][1]
    assert {text.text for text in drawn.scene.texts} >= {"next", "one of several", "in any order", "again"}


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((ink, ground) for ink, _ in KINDS.values() for ground in (CARD, LOOKS["group"].fill)),
        *((PALE, ground) for ground in (CARD, LOOKS["group"].fill)),
        *((look.ink, look.fill) for look in LOOKS.values()),
        *((CARD, LOOKS[look].border) for look in ("taken", "last", "expected", "came")),
    ],
)
def test_texts_have_contrast(ink: str, ground: str) -> None:
    """Labels on card and frame, texts in boxes, numbers on plates: at least 4.5 : 1 (WCAG 2.2, AA)."""
    assert contrast(ink, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    """The ratio of their luminances, as WCAG has it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_steps_in_any_order_are_framed() -> None:
    """The two threads stand in one frame with one line in and one out, which tell of the edges that they stand for."""
    scene = graph(workflow(), least=0).scene
    (frame,) = (box for box in scene.boxes if box.look == "group")
    assert frame.title.startswith("In any order:\nVM Resumed (Lifecycle Event)\nDuring sync_power_state")
    into, out = (line for line in scene.lines if frame.id in (line.source, line.target))
    assert "Creating image → VM Resumed (Lifecycle Event): 497, 50 % · 11 s" in into.title
    assert (into.label, out.label) == ("10 – 11 s", "200 – 400 ms")
    held = [box for box in scene.boxes if "VM Resumed" in box.title or "sync_power" in box.title][1:]
    assert all(abs(box.x - frame.x) < frame.width / 2 and abs(box.y - frame.y) < frame.height / 2 for box in held)


def test_the_live_graph_has_every_step_and_line() -> None:
    """Pyvis holds a node for each box, and for each line edges along its course that carry its text."""
    scene = graph(workflow(), session(44, 51, 99), least=0).scene
    live = network(scene)
    assert {box.title for box in scene.boxes} <= {node.get("title", "") for node in live.nodes}
    assert {(number, line.title) for number, line in enumerate(scene.lines)} == {
        (edge["line"], edge["title"]) for edge in live.edges
    }


def test_ids_are_numbers_and_texts_are_short_and_visible() -> None:
    """Whatever the log holds: nothing of it names a node, none is over 250 characters, none holds a control."""
    nodes: list[dict[str, Any]] = network(graph(hostile()).scene).nodes
    assert all(type(node["id"]) is int for node in nodes)
    assert all(
        len(line) <= 250 for node in nodes for line in (*node.get("title", "").split("\n"), *node["label"].split("\n"))
    )
    assert not any(
        CONTROL.search(node.get("title", "").replace("\n", "") + node["label"].replace("\n", "")) for node in nodes
    )


def test_hostile_texts_stay_texts() -> None:
    """No element, attribute or script comes of them: in the SVG, the table, the alt text; the live page packs them."""
    drawn = graph(hostile(), session(*range(1, 60), 77, name=HOSTILE[0]))
    bundle = drawn._repr_mimebundle_()
    outside = re.sub(r"<iframe.*?</iframe>", "", bundle["text/html"], flags=re.DOTALL)
    for page in (picture(outside), outside):
        assert not re.search(r"<(script|img src=x|svg/|iframe|b>|meta|a )", page)
    live = drawn.live()
    assert live.count("<script") == 2
    assert "evil.example" not in live
    assert not CONTROL.search(bundle["text/plain"].replace("\n", "") + drawn.alt.replace("\n", ""))


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\x0b", "\ufffe", "\uffff", "]]>", "&", "", "\U0001f600"])
def test_no_text_can_kill_the_kernel(text: str) -> None:
    """Characters that no XML may hold, and an empty text, are only drawn."""
    drawn = graph(
        workflow((((1, text),), [(0, 1, "next", 1, None), (1, 0, "next", 1, None)])), session(1, 5, name=text)
    )
    assert drawn._repr_mimebundle_()


def test_what_cannot_be_drawn_is_refused_by_name() -> None:
    """An empty workflow, two sessions, two diagnoses, a share that is none, a frame that is none of all that."""
    drawn = workflow()
    with pytest.raises(InputError, match="no edges"):
        graph(workflow(((), ())))
    with pytest.raises(InputError, match="holds 2 sessions; give one"):
        graph(drawn, pl.concat([session(44), session(51, name="other")]))
    with pytest.raises(InputError, match="holds 2 rows of DIAGNOSES; give one"):
        graph(drawn, pl.concat([diagnosis("timing"), diagnosis("value")]))
    for least in (2, -0.1, float("nan")):
        with pytest.raises(InputError, match="it is a share of what leaves a step, from 0 to 1"):
            graph(drawn, least=least)
    with pytest.raises(FrameError, match="session: missing"):
        graph(drawn, pl.DataFrame({"key": [44]}))
    with pytest.raises(FrameError, match="session: missing column rule"):
        graph(drawn, diagnosis("unlikely").drop("rule"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((session(44),), r"workflow is of type DataFrame; a graph is drawn of a Workflow: Workflow.from_model\("),
        (("a.log",), "workflow is the text ‘a.log’; a graph is drawn of a Workflow"),
        ((workflow(), "9a1e-07"), "session is the text ‘9a1e-07’; give the rows of one, .*filter"),
        ((workflow(), 3), "session is of type int; give the rows of one"),
        ((workflow(), session(44).head(0)), r"holds no entry: none has that name; sessions\['session'\].unique\(\)"),
        ((workflow(), diagnosis("timing").head(0)), "holds 0 rows of DIAGNOSES; give one"),
        ((workflow(), session(44).lazy()), "session is of type LazyFrame; give the rows of one"),
    ],
)
def test_what_is_no_workflow_or_session_is_said(given: tuple[Any, ...], told: str) -> None:
    """What came, what is accepted, and what to do next."""
    with pytest.raises(InputError, match=told):
        graph(*given)


@pytest.mark.parametrize("module", ["deeplog_nb.views", "deeplog_nb.views.graph"])
def test_pyvis_comes_with_the_first_live_graph(module: str) -> None:
    """Importing loads neither pyvis nor what makes the PNG."""
    code = f"import sys, {module}; print([m for m in ('pyvis', 'networkx', 'vl_convert') if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout == "[]\n"


def test_a_workflow_that_knows_the_way_is_asked_for_it() -> None:
    """Where a workflow places entries itself, its word counts, not the keys."""

    class Knowing(Drawn):
        def walk(self, keys: Sequence[int], *, open_: bool = False) -> Way:
            return Way({(1, 0, 1): (1,), (1, 1, 2): (2,)}, (1, 2), (), keys[2], 2)

    plain = workflow()
    drawn = graph(Knowing(plain.steps, plain.edges, plain.templates), session(44, 51, 52))
    assert drawn.sentence.startswith("Session 9a1e-07 leaves task 1 after ‘Claim successful’: ‘Creating image’ came")
