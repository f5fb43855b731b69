"""A scene as a live graph: pyvis holds the nodes and edges, our own page draws them. Nothing else touches pyvis.

pyvis's own template runs scripts that stand in a node's title, and asks the network for style sheets; it is not
used. Ours carries the vis-network that pyvis ships, packed, and forbids every script but that and its own by their
digests. Texts are JSON; in the page they go to a canvas or into text nodes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from deeplog_nb.frames import InputError
from deeplog_nb.resources import shipped
from deeplog_nb.views.lettering import FONT
from deeplog_nb.views.scene import FADED, KINDS, LOOKS, Box, Line, Scene, badges, inside, labels
from deeplog_nb.views.text import escape
from deeplog_nb.views.theme import CARD, FAINT
from deeplog_nb.views.theme import FONT as FAMILY

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
    "nodes": {"shape": "box", "shapeProperties": {"borderRadius": 7}, "chosen": False},
    "edges": {"chosen": False, "selectionWidth": 0, "hoverWidth": 1},
}


def live_page(scene: Scene) -> str:
    """The whole page of the live graph: no request, no script but ours; for a sandboxed frame."""
    script, style = _ours("graph.js"), _ours("graph.css")
    packed, library = _vis()
    policy = (
        f"default-src 'none'; script-src {_digest(script)} {library}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    data = json.dumps(_data(scene), ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Workflow</title><style>{style}</style></head><body>"
        '<div id="graph"></div><div id="tools"><button id="in" aria-label="larger">+</button>'
        '<button id="out" aria-label="smaller">−</button><button id="whole" aria-label="whole graph">⤢</button></div>'
        '<div id="told" role="status" hidden></div>'
        f'<script type="application/json" id="scene">{data}</script>'
        f'<script type="text/plain" id="vis">{packed}</script><script>{script}</script></body></html>'
    )


def file_page(title: str, body: str) -> str:
    """A file that shows the figure and its table, and the live graph in its frame; it opens without network."""
    _, library = _vis()
    policy = (
        f"default-src 'none'; script-src {_digest(_ours('graph.js'))} {library}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_ours('file.css')}</style></head><body><main>{body}</main></body></html>\n"
    )


def network(scene: Scene) -> Any:
    """The scene as a pyvis ``Network``: ids are whole numbers, places are fixed, every text is plain."""
    from pyvis.network import Network

    graph = Network(directed=True)
    graph.set_options(json.dumps(OPTIONS))
    for box in scene.boxes:
        graph.add_node(box.id, **_node(box))
    free = max((box.id for box in scene.boxes), default=0) + 1
    for line in scene.lines:
        free = _add(graph, line, free)
    for number, edge in enumerate(graph.edges):
        edge["id"] = number
    return graph


def _node(box: Box) -> dict[str, Any]:
    look = LOOKS[box.look]
    colour = {"background": look.fill, "border": look.border}
    return {
        "label": "\n".join(box.lines) or " ",
        "title": box.title,
        "shape": "box",
        "color": colour | {"hover": colour | {"border": look.ink}, "highlight": colour},
        "x": box.x,
        "y": box.y,
        "fixed": True,
        "margin": dict.fromkeys(("top", "right", "bottom", "left"), 0),
        "widthConstraint": box.width,
        "heightConstraint": box.height,
        "borderWidth": look.thickness,
        "font": {"size": FONT, "face": FAMILY, "color": "rgba(0,0,0,0)"},  # the page sets the lines, vis too tight
        "shapeProperties": {
            "borderRadius": box.height / 2 if box.round else 7,
            "borderDashes": list(look.dash) or False,
        },
    }


def _add(graph: Any, line: Line, free: int) -> int:
    """The line as edges from point to point; gives the next free id."""
    colour, dash = KINDS[line.kind]
    between = list(range(free, free + len(line.points) - 2))
    for at, (x, y) in zip(between, line.points[1:-1], strict=True):
        graph.add_node(at, label=" ", shape="dot", size=0.1, x=x, y=y, fixed=True, color=colour, title=line.title)
    style = {
        "color": {"color": colour, "hover": colour, "highlight": colour, "opacity": FADED if line.faded else 1},
        "dashes": list(dash) or False,
        "width": line.thickness,
        "title": line.title,
        "smooth": _smooth(line),
        "arrowStrikethrough": False,
    }
    for source, target in pairwise([line.source, *between, line.target]):
        last = {"enabled": target == line.target, "type": "triangle", "scaleFactor": 0.6}
        graph.add_edge(source, target, arrows={"to": last}, **style)
    if line.shape == "self":
        graph.edges[-1]["selfReference"] = {"size": 11, "angle": 0.0}
    return free + len(between)


def _smooth(line: Line) -> dict[str, Any]:
    """Curves from layer to layer; straight to a lane and beside; two that lie on each other bend apart."""
    if line.shape == "lane":
        return {"enabled": False}
    if line.shape == "beside":
        return {"enabled": True, "type": "curvedCW", "roundness": 0.04}
    return {"enabled": True, "type": "cubicBezier", "forceDirection": "vertical", "roundness": 0.5}


def _data(scene: Scene) -> dict[str, Any]:
    graph = network(scene)
    return {
        "nodes": graph.nodes,
        "edges": graph.edges,
        "options": graph.options,
        "width": scene.width,
        "height": scene.height,
        "font": FAMILY,
        "card": CARD,
        "faint": FAINT,
        "grounds": [each._asdict() for each in scene.grounds],
        "keys": [{"x": k.x, "y": k.y, "colour": KINDS[k.kind][0], "dash": KINDS[k.kind][1]} for k in scene.keys],
        "texts": [each._asdict() for each in scene.texts],
        "labels": [each._asdict() for each in (*labels(scene), *(text for box in scene.boxes for text in inside(box)))],
        "badges": [each._asdict() | {"text": each.text._asdict()} for each in badges(scene)],
    }


@cache
def _vis() -> tuple[str, str]:
    """The vis-network that pyvis ships, packed for the page, and its digest for the page's policy."""
    import pyvis

    found = sorted(Path(pyvis.__file__).parent.glob("templates/lib/vis-*/vis-network.min.js"))
    if not found:
        raise InputError("pyvis is installed without vis-network; install it anew: pip install --force-reinstall pyvis")
    code = found[-1].read_text("utf-8").replace("\r\n", "\n")
    return base64.b64encode(gzip.compress(code.encode(), 9, mtime=0)).decode("ascii"), _digest(code)


@cache
def _ours(name: str) -> str:
    return shipped("widgets", name).read_text("utf-8")


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
