"""A scene as a live graph: pyvis holds its nodes and edges, vis-network moves them. Nothing else touches pyvis.

pyvis's own template runs scripts that stand in a node's title, and asks the network for style sheets; it is not
used. Ours carries the vis-network that pyvis ships, packed, and forbids every script but that and its own by their
digests. Texts are JSON; in the page they are drawn as part of the picture, or go into text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from deeplog_nb.frames import InputError
from deeplog_nb.resources import shipped
from deeplog_nb.views.layers import Point
from deeplog_nb.views.lettering import FONT
from deeplog_nb.views.packing import packed
from deeplog_nb.views.scene import Box, Line, Scene
from deeplog_nb.views.svg import course, path, svg
from deeplog_nb.views.text import escape

CLEAR: Final = "rgba(0,0,0,0)"
MARK: Final = "rgba(0,114,178,.3)"  # over what is hovered
NONE: Final = {"color": {"background": CLEAR, "border": CLEAR, "hover": CLEAR, "highlight": CLEAR}}
OPTIONS: Final[dict[str, Any]] = {
    "physics": {"enabled": False},
    "layout": {"randomSeed": 1},
    "interaction": {
        "hover": True,
        "dragNodes": False,
        "zoomView": False,
        "tooltipDelay": 120,
        "keyboard": {"enabled": True, "bindToWindow": False},
    },
    "nodes": {
        "fixed": True,
        "margin": dict.fromkeys(("top", "right", "bottom", "left"), 0),
        "font": {"size": FONT, "color": CLEAR},
        "chosen": False,
    },
    "edges": {"color": {"color": CLEAR, "hover": CLEAR, "highlight": CLEAR}, "chosen": False, "selectionWidth": 0},
}


def live_page(scene: Scene) -> str:
    """The whole page of the live graph: no request, no script but ours; for a sandboxed frame."""
    script, style = _ours("graph.js"), _ours("graph.css")
    signs, size = packed(_vis() + "\0" + json.dumps(_data(scene), ensure_ascii=True, separators=(",", ":")))
    policy = _policy(script)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Workflow</title><style>{style}</style></head><body>"
        '<div id="graph"></div><div id="tools">'
        '<button id="in" aria-label="larger" title="larger: Ctrl + wheel">+</button>'
        '<button id="out" aria-label="smaller" title="smaller: Ctrl + wheel">−</button>'
        '<button id="whole" aria-label="whole graph" title="whole graph">⤢</button></div>'
        '<div id="told" role="status"></div>'
        f'<script type="text/plain" id="packed" data-size="{size}">{signs}</script>'
        f"<script>{script}</script></body></html>"
    )


def file_page(title: str, body: str) -> str:
    """A file that shows the figure and its table, and the live graph in its frame; it opens without network."""
    policy = _policy(_ours("graph.js"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_ours('file.css')}</style></head><body><main>{body}</main></body></html>\n"
    )


def network(scene: Scene) -> Any:
    """The scene as a pyvis ``Network``: ids are whole numbers, places are fixed, every text is plain.

    It is there to be hovered, clicked and moved; what is seen is the picture.
    """
    from pyvis.network import Network

    graph = Network(directed=True)
    graph.set_options(json.dumps(OPTIONS))
    for at, box in enumerate(scene.boxes):  # of two that lie on each other, a frame and a step, the later is hit
        graph.add_node(at, **_node(box))
    boxes, free = {box.id: box for box in scene.boxes}, len(scene.boxes)
    for number, line in enumerate(scene.lines):
        free = _add(graph, line, number, course(line, boxes), free)
    for number, edge in enumerate(graph.edges):
        edge["id"] = number
    return graph


def _node(box: Box) -> dict[str, Any]:
    size = {"widthConstraint": box.width, "heightConstraint": box.height}
    shape = {"shape": "box", "shapeProperties": {"borderRadius": box.height / 2 if box.round else 7}}
    return {"label": "\n".join(box.lines) or " ", "title": box.title, "x": box.x, "y": box.y, **size, **shape, **NONE}


def _add(graph: Any, line: Line, number: int, points: Sequence[Point], free: int) -> int:
    """The line as edges from point to point; gives the next free id."""
    ids = range(free, free + len(points))
    for at, (x, y) in zip(ids, points, strict=True):
        graph.add_node(at, label=" ", shape="dot", size=0.1, x=x, y=y, color=CLEAR)
    curve = {"enabled": line.shape == "down", "type": "cubicBezier", "forceDirection": "vertical", "roundness": 0.5}
    for source, target in pairwise(ids):
        graph.add_edge(source, target, title=line.title, smooth=curve, line=number, arrows="")
    return free + len(points)


def _data(scene: Scene) -> dict[str, Any]:
    graph, boxes = network(scene), {box.id: box for box in scene.boxes}
    lines = [{"path": path(line, boxes), "width": line.thickness} for line in scene.lines]
    whole = {"nodes": graph.nodes, "edges": graph.edges, "options": graph.options, "lines": lines}
    return whole | {"width": scene.width, "height": scene.height, "picture": svg(scene), "mark": MARK}


@cache
def _vis() -> str:
    """The vis-network that pyvis ships."""
    import pyvis

    found = sorted(Path(pyvis.__file__).parent.glob("templates/lib/vis-*/vis-network.min.js"))
    if not found:
        raise InputError("pyvis is installed without vis-network; install it anew: pip install --force-reinstall pyvis")
    return found[-1].read_text("utf-8").replace("\r\n", "\n")


@cache
def _ours(name: str) -> str:
    return shipped("widgets", name).read_text("utf-8")


def _policy(script: str) -> str:
    """No request, no script but this one and vis-network."""
    return (
        f"default-src 'none'; script-src {_digest(script)} {_digest(_vis())}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
