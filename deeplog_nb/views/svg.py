"""A scene as SVG, and as PNG; drawn without a browser and without network.

What fits an image's address is an image to every notebook: an SVG as an output of its own would be lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from deeplog_nb.views.display import SCALE
from deeplog_nb.views.layers import Point
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

Drawn = tuple[dict[str, object], Html]  # how it looks, and an element

PIXELS: Final = 8_000_000  # of a PNG, while it stays as large as on the page
LEAST: Final = 1.0
_DOWN: Final = 0.5  # of the way between two layers, where a curve bends
_ADDRESS: Final = str.maketrans({'"': "'", "%": "%25", "#": "%23", "<": "%3C", ">": "%3E", "&": "%26"})
OUT: Final = 18.0  # px that a way to itself bends out


def svg(scene: Scene) -> Html:
    """The whole scene as one SVG; its texts are escaped."""
    boxes = {box.id: box for box in scene.boxes}
    framed, plain = ([b for b in scene.boxes if (b.look == "group") is held] for held in (True, False))
    plates = badges(scene)
    parts = [
        tag("rect", width=_n(scene.width), height=_n(scene.height), fill=CARD),
        *map(_ground, scene.grounds),
        *map(_key, scene.keys),
        *_together(map(_box, framed)),
        *(_line(line, boxes) for line in sorted(scene.lines, key=lambda line: line.taken)),
        *_together(map(_box, plain)),
        *_together(map(_text, [*scene.texts, *(text for box in plain for text in inside(box)), *labels(scene)])),
        *_together(map(_badge, plates)),
        *_together(_text(plate.text) for plate in plates),
    ]
    size = {"width": _n(scene.width), "height": _n(scene.height), "font_family": FAMILY}
    return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", **size)


def address(scene: Scene) -> Html:
    """The SVG as the address of an image, with nothing in it that HTML would read."""
    return Html("data:image/svg+xml," + svg(scene).translate(_ADDRESS))


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


def _line(line: Line, boxes: Mapping[int, Box]) -> Html:
    colour, dash = KINDS[line.kind]
    size = 7 + 0.8 * line.thickness
    tip, way = course(line, boxes)[-1], heading(line)
    faint = FADED if line.faded else None
    drawn = _stroke(path(line, boxes, size), colour, line.thickness, dash)
    return tag("g", drawn, _head(tip, way, colour, size), opacity=faint)


def course(line: Line, boxes: Mapping[int, Box]) -> list[Point]:
    """The points that a line passes, from the rim of its source to the rim of its target."""
    source, target, points = boxes[line.source], boxes[line.target], line.points
    if line.shape == "self":
        right, y = points[0][0] + source.width / 2, points[0][1]
        return [(right, y + 7), (right + OUT, y + 7), (right + OUT, y - 7), (right, y - 7)]
    if line.shape == "lane":
        (x, y), *out, (to_x, to_y) = points
        return [(x + source.width / 2, y), *out, (to_x + target.width / 2, to_y)]
    if line.shape == "beside":
        (x, y), (to_x, _), way = points[0], points[-1], heading(line)[0]
        return [(x + way * source.width / 2, y + 6 * way), (to_x - way * target.width / 2, y + 6 * way)]
    (x, y), *between, (to_x, to_y) = points
    return [(x, y + source.height / 2), *between, (to_x, to_y - target.height / 2)]


def heading(line: Line) -> tuple[int, int]:
    """The direction in which a line meets its target."""
    if line.shape == "down":
        return 0, 1
    return (1, 0) if line.shape == "beside" and line.points[-1][0] > line.points[0][0] else (-1, 0)


def path(line: Line, boxes: Mapping[int, Box], head: float = 0.0) -> str:
    """The course as the path of an SVG, so much shorter at its end: curves from layer to layer, else straight."""
    points, (way_x, way_y) = course(line, boxes), heading(line)
    points[-1] = points[-1][0] - way_x * head, points[-1][1] - way_y * head
    drawn = "M" + _at(points[0])
    if line.shape == "self":
        return f"{drawn}C{' '.join(map(_at, points[1:]))}"
    if line.shape != "down":
        return drawn + "".join(f"L{_at(point)}" for point in points[1:])
    for (x, y), (to_x, to_y) in pairwise(points):
        bend = (to_y - y) * _DOWN
        drawn += f"C{_at((x, y + bend))} {_at((to_x, to_y - bend))} {_at((to_x, to_y))}"
    return drawn


def _at(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _box(box: Box) -> Drawn:
    look = LOOKS[box.look]
    dash = " ".join(map(_n, look.dash)) or None
    corner = _n(box.height / 2 if box.round else 7)
    style: dict[str, object] = {
        "fill": look.fill,
        "stroke": look.border,
        "stroke_width": _n(look.thickness),
        "stroke_dasharray": dash,
    }
    places = {"x": box.x - box.width / 2, "y": box.y - box.height / 2, "width": box.width, "height": box.height}
    return style, tag("rect", **{name: _n(place) for name, place in places.items()}, rx=corner)


def _badge(badge: Badge) -> Drawn:
    places = {name: _n(getattr(badge, name)) for name in ("x", "y", "width", "height")}
    return {"fill": badge.fill}, tag("rect", **places, rx=10)


def _text(text: Text) -> Drawn:
    halo = {"stroke": CARD, "stroke_width": 4, "paint_order": "stroke", "stroke_linejoin": "round"} if text.halo else {}
    weight, anchor = "bold" if text.bold else None, None if text.anchor == "start" else text.anchor
    look = {"text_anchor": anchor, "font_size": text.size, "font_weight": weight, "fill": text.ink, **halo}
    return look, tag("text", text.text, x=_n(text.x), y=_n(text.y)) if text.text else Html()


def _together(drawn: Iterable[Drawn]) -> Iterator[Html]:
    """The elements, those of one look as one group: half as long as each by itself."""
    looks: dict[tuple[tuple[str, object], ...], list[Html]] = {}
    for look, element in drawn:
        looks.setdefault(tuple(look.items()), []).append(element)
    return (tag("g", *elements, **dict(look)) for look, elements in looks.items())
