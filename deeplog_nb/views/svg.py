"""A scene as SVG, and as the PNG that every notebook keeps; drawn without a browser and without network.

The SVG is only on the way to the PNG: a notebook from elsewhere would lose it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from deeplog_nb.views.display import SCALE
from deeplog_nb.views.page import Html, join, tag
from deeplog_nb.views.palette import shrink
from deeplog_nb.views.scene import (
    FADED,
    KINDS,
    LOOKS,
    Badge,
    Box,
    Ground,
    Key,
    Line,
    Scene,
    Text,
    badges,
    inside,
    labels,
)
from deeplog_nb.views.theme import CARD, FAINT
from deeplog_nb.views.theme import FONT as FAMILY

PIXELS: Final = 8_000_000  # of a PNG, while it stays as large as on the page
LEAST: Final = 1.0
_DOWN: Final = 0.5  # of the way between two layers, where a curve bends


def svg(scene: Scene) -> Html:
    """The whole scene as one SVG; its texts are escaped."""
    frame = tag("rect", width=_n(scene.width), height=_n(scene.height), fill=CARD)
    parts = [
        frame,
        *map(_ground, scene.grounds),
        *map(_key, scene.keys),
        *(each for line in sorted(scene.lines, key=lambda line: line.taken) for each in _line(line, scene)),
        *(each for box in scene.boxes for each in _box(box)),
        *map(_text, scene.texts),
        *map(_text, labels(scene)),
        *map(_badge, badges(scene)),
    ]
    size = {"width": _n(scene.width), "height": _n(scene.height), "font_family": FAMILY}
    return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", **size)


def png(scene: Scene) -> bytes:
    """The scene as PNG, at twice its size on the page, less where that were too many pixels. It fetches nothing."""
    import vl_convert

    scale = min(SCALE, max(math.sqrt(PIXELS / (scene.width * scene.height)), LEAST))
    return shrink(vl_convert.svg_to_png(str(svg(scene)), scale=scale))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _ground(ground: Ground) -> Html:
    places = {name: _n(value) for name, value in ground._asdict().items()}
    return tag("rect", **places, rx=10, fill="none", stroke=FAINT, stroke_width=1.5)


def _key(key: Key) -> Html:
    colour, dash = KINDS[key.kind]
    end = key.x + 36
    return join(
        [_stroke(f"M{_n(key.x)} {_n(key.y)}H{_n(end - 7)}", colour, 2.0, dash), _head((end, key.y), (1, 0), colour)]
    )


def _stroke(path: str, colour: str, thickness: float, dash: Sequence[float]) -> Html:
    style = {"stroke_width": _n(thickness), "stroke_dasharray": " ".join(map(_n, dash)) or None}
    return tag("path", d=path, fill="none", stroke=colour, stroke_linejoin="round", **style)


def _head(tip: tuple[float, float], way: tuple[int, int], colour: str, size: float = 8) -> Html:
    (x, y), (dx, dy) = tip, way
    back, side = (x - dx * size, y - dy * size), (dy * size * 0.45, dx * size * 0.45)
    points = (tip, (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))
    return tag("polygon", points=" ".join(f"{_n(a)},{_n(b)}" for a, b in points), fill=colour)


def _line(line: Line, scene: Scene) -> Iterator[Html]:
    boxes = {box.id: box for box in scene.boxes}
    source, target = boxes[line.source], boxes[line.target]
    colour, dash = KINDS[line.kind]
    size = 7 + 0.8 * line.thickness
    path, tip, way = _path(line, source, target, size)
    faint = FADED if line.faded else None
    yield tag("g", _stroke(path, colour, line.thickness, dash), _head(tip, way, colour, size), opacity=faint)


def _path(line: Line, source: Box, target: Box, head: float) -> tuple[str, tuple[float, float], tuple[int, int]]:
    """The curve, its tip and the direction there; it ends where the head begins."""
    points = line.points
    if line.shape == "self":
        right, y = points[0][0] + source.width / 2, points[0][1]
        curve = f"M{_n(right)} {_n(y + 7)}h8C{_n(right + 30)} {_n(y + 7)} {_n(right + 30)} {_n(y - 7)}"
        return f"{curve} {_n(right + head)} {_n(y - 7)}", (right, y - 7), (-1, 0)
    if line.shape == "lane":
        (x, y), (out, _), (_, to_y), (to_x, _) = points
        tip = to_x + target.width / 2, to_y
        turn = f"M{_n(x + source.width / 2)} {_n(y)}H{_n(out)}V{_n(to_y)}H{_n(tip[0] + head)}"
        return turn, tip, (-1, 0)
    if line.shape == "beside":
        (x, y), (to_x, _) = points[0], points[-1]
        way = 1 if to_x > x else -1
        tip = to_x - way * target.width / 2, y + 6 * way
        return f"M{_n(x + way * source.width / 2)} {_n(tip[1])}H{_n(tip[0] - way * head)}", tip, (way, 0)
    top, tip = points[0][1] + source.height / 2, (points[-1][0], points[-1][1] - target.height / 2)
    passed = [(points[0][0], top), *points[1:-1], (tip[0], tip[1] - head)]
    path = f"M{_n(passed[0][0])} {_n(passed[0][1])}"
    for (x, y), (to_x, to_y) in pairwise(passed):
        bend = (to_y - y) * _DOWN
        path += f"C{_n(x)} {_n(y + bend)} {_n(to_x)} {_n(to_y - bend)} {_n(to_x)} {_n(to_y)}"
    return path, tip, (0, 1)


def _box(box: Box) -> Iterator[Html]:
    look = LOOKS[box.look]
    corner = box.height / 2 if box.round else 7
    places = {"x": box.x - box.width / 2, "y": box.y - box.height / 2, "width": box.width, "height": box.height}
    dash = {"stroke_dasharray": " ".join(map(_n, look.dash)) or None, "stroke_width": _n(look.thickness)}
    yield tag(
        "rect", **{k: _n(v) for k, v in places.items()}, rx=_n(corner), fill=look.fill, stroke=look.border, **dash
    )
    yield from map(_text, inside(box))


def _badge(badge: Badge) -> Html:
    places = {name: _n(getattr(badge, name)) for name in ("x", "y", "width", "height")}
    return join([tag("rect", **places, rx=10, fill=badge.fill), _text(badge.text)])


def _text(text: Text) -> Html:
    if not text.text:
        return Html()
    halo = {"stroke": CARD, "stroke_width": 4, "paint_order": "stroke", "stroke_linejoin": "round"} if text.halo else {}
    weight = "bold" if text.bold else None
    place = {"x": _n(text.x), "y": _n(text.y), "text_anchor": None if text.anchor == "start" else text.anchor}
    return tag("text", text.text, **place, font_size=text.size, font_weight=weight, fill=text.ink, **halo)
