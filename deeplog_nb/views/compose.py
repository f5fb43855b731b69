"""STEPS and EDGES -> the scene: each task laid out in a band of its own, a session's trace painted over.

What is said in words is given to it; what is left out was left out before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.views.axes import counted, duration, percent
from deeplog_nb.views.layers import GAP, Arrow, Layout, arrange
from deeplog_nb.views.scene import (
    FONT,
    KINDS,
    MARGIN,
    SMALL,
    WIDTH,
    Band,
    Box,
    Key,
    Line,
    Scene,
    Text,
    legend,
    short,
    text_width,
    wrap,
)
from deeplog_nb.views.theme import INK, SOFT
from deeplog_nb.views.trace import Trace

WIDEST: Final = 330.0  # px of a box
NARROWEST: Final = 150.0
PAD: Final = 16.0  # px within a band
HEAD: Final = 34.0  # px of a band's name
ROW: Final = 17.0  # px of a line in a box


class Words(NamedTuple):
    """What stands over the picture, and what a key is called."""

    title: str
    subtitle: str
    name: Callable[[int], str]  # short enough for a box
    text: Callable[[int], str]  # whole


@dataclass(frozen=True)
class _Task:
    """A task to draw: its nodes are its steps, 0 for the begin, and above them the end and what came instead."""

    number: int
    keys: Mapping[int, int | None]
    counts: Mapping[int, int]
    edges: Sequence[Mapping[str, object]]
    end: int
    came: int | None  # the node of what came instead

    @property
    def nodes(self) -> list[int]:
        return [0, *self.keys, self.end] + ([self.came] if self.came is not None else [])


def compose(steps: pl.DataFrame, edges: pl.DataFrame, trace: Trace | None, words: Words) -> Scene:
    """The scene of these steps and edges."""
    kinds = [kind for kind in KINDS if kind in set(edges["kind"].cast(pl.String))]
    top = _heading(words, [*kinds, *(["off"] if trace and trace.left else [])])
    scene, y, first = top, top.height, 0
    for number in steps["task"].unique().sort():
        task = _task(number, steps, edges, trace)
        band = _band(task, trace, words, first)
        scene = _below(scene, band, y)
        y, first = scene.height, first + len(task.nodes) + 1_000_000
    return replace(_numbered(scene), height=y + MARGIN - PAD)


def _heading(words: Words, kinds: Sequence[str]) -> Scene:
    lines = wrap(short(words.title), WIDTH - 2 * MARGIN, 3, 17)
    texts = [Text(MARGIN, MARGIN + 17 + 22 * at, line, 17, INK, bold=True) for at, line in enumerate(lines)]
    y = MARGIN + 22 * len(lines) + 14
    small = wrap(words.subtitle, WIDTH - 2 * MARGIN, 3, 12.5)
    texts += [Text(MARGIN, y + 17 * at, line, 12.5, SOFT) for at, line in enumerate(small)]
    keys, told = legend(kinds, y + 17 * len(small) + 6)
    return Scene(WIDTH, y + 17 * len(small) + 26, keys=tuple(keys), texts=(*texts, *told))


def _task(number: int, steps: pl.DataFrame, edges: pl.DataFrame, trace: Trace | None) -> _Task:
    own = steps.filter(pl.col("task") == number, pl.col("step") > 0).sort("step")
    keys = dict(own.select("step", "key").rows())
    rows = edges.filter(pl.col("task") == number).to_dicts()
    end = max(keys, default=0) + 1
    left = trace.left if trace else None
    return _Task(number, keys, dict(own.select("step", "count").rows()), rows, end, end + 1 if left and left[0] == number else None)


def _band(task: _Task, trace: Trace | None, words: Words, first: int) -> Scene:
    """The task by itself, its band beginning at 0, 0."""
    arrows = [_arrow(task, row) for row in task.edges]
    if task.came is not None and trace and trace.left:
        arrows.append(Arrow(trace.left[1], task.came, 0.001))
    loose = arrange(task.nodes, arrows, width=NARROWEST, height=1)
    aside = loose.width - max(x for x, _ in loose.places.values()) - NARROWEST / 2  # lanes
    rows = list(loose.layers.values())
    most = max(rows.count(row) for row in rows)
    room = WIDTH - 2 * MARGIN - 2 * PAD - aside
    width = min(max((room + GAP) / most - GAP, NARROWEST), WIDEST)
    texts = {node: _lines(task, node, trace, words, width) for node in task.nodes}
    height = 16 + ROW * max(map(len, texts.values()))
    layout = arrange(task.nodes, arrows, width=width, height=height)
    at = MARGIN + PAD + max((room + aside - layout.width) / 2, 0), HEAD + 4
    boxes = [_box(task, node, layout, (width, height), at, texts[node], trace, words, first) for node in task.nodes]
    lines = [_line(task, row, layout, n, at, height, trace, words, first) for n, row in enumerate(task.edges)]
    if len(arrows) > len(task.edges):
        way = tuple((x + at[0], y + at[1]) for x, y in layout.routes[-1])
        lines.append(Line(first + arrows[-1].source, first + arrows[-1].target, way, "off", 2.5, "left the workflow"))
    whole = max(WIDTH, layout.width + 2 * (MARGIN + PAD))
    ground = Band(MARGIN, 0, whole - 2 * MARGIN, layout.height + HEAD + 4 + PAD)
    begun = sum(int(str(row["count"])) for row in task.edges if row["source"] == 0)
    told = f"begun {counted(begun, 'time')} · {counted(len(task.keys), 'step')}"
    name = Text(MARGIN + PAD, 24, f"Task {task.number}", 14, INK, bold=True)
    about = Text(name.x + text_width(name.text, 14) + 14, 24, told, SMALL, SOFT)
    return Scene(whole, ground.height + PAD, tuple(boxes), tuple(lines), (ground,), (), (name, about))


def _arrow(task: _Task, row: Mapping[str, object]) -> Arrow:
    source, target, count = int(str(row["source"])), int(str(row["target"])) or task.end, float(str(row["count"]))
    return Arrow(source, target, count, row["kind"] == "loop")


def _lines(task: _Task, node: int, trace: Trace | None, words: Words, width: float) -> tuple[str, ...]:
    if node in (0, task.end):
        return ("begin" if node == 0 else "end",)
    if node == task.came and trace:
        came = "the session ends here" if trace.came is None else words.name(trace.came)
        return wrap(f"instead: {came}", width - 18, 2)
    return wrap(words.name(task.keys[node] or 0), width - 18, 2)


def _box(
    task: _Task,
    node: int,
    layout: Layout,
    size: tuple[float, float],
    at: tuple[float, float],
    lines: tuple[str, ...],
    trace: Trace | None,
    words: Words,
    first: int,
) -> Box:
    x, y = layout.places[node][0] + at[0], layout.places[node][1] + at[1]
    visits = trace.visits.get((task.number, node), []) if trace else []
    width, height = (84.0, 28.0) if node in (0, task.end) else size
    look = _look(task, node, trace)
    return Box(first + node, x, y, width, height, lines, _told(task, node, trace, words), look, _order(visits))


def _look(task: _Task, node: int, trace: Trace | None) -> str:
    if node == task.came:
        return "came"
    plain = "end" if node in (0, task.end) else "step"
    if trace is None:
        return plain
    if trace.left == (task.number, node):
        return "last"
    if trace.left and trace.left[0] == task.number and _follows(task, trace.left[1], node):
        return "expected"
    reached = any(t == task.number and (source == node or (target or task.end) == node) for t, source, target in trace.taken)
    return "taken" if reached else plain


def _follows(task: _Task, step: int, node: int) -> bool:
    return any(row["source"] == step and (row["target"] or task.end) == node for row in task.edges)


def _order(visits: Sequence[int]) -> str:
    return ", ".join(map(str, visits[:3])) + (f" … {visits[-1]}" if len(visits) > 3 else "")


def _told(task: _Task, node: int, trace: Trace | None, words: Words) -> str:
    """What hovering a box says."""
    if node in (0, task.end):
        return f"Task {task.number} {'begins' if node == 0 else 'ends'}"
    if node == task.came and trace:
        return "The session ends here" if trace.came is None else f"Came instead: {short(words.text(trace.came))}"
    key = task.keys[node]
    return f"{short(words.text(key or 0))}\nkey {key} · {counted(task.counts[node], 'entry').replace('entrys', 'entries')}"


def _line(
    task: _Task,
    row: Mapping[str, object],
    layout: Layout,
    number: int,
    at: tuple[float, float],
    height: float,
    trace: Trace | None,
    words: Words,
    first: int,
) -> Line:
    source, target = int(str(row["source"])), int(str(row["target"])) or task.end
    points = tuple((x + at[0], y + at[1]) for x, y in layout.routes[number])
    taken = trace.taken.get((task.number, source, int(str(row["target"])))) if trace else None
    most = max(float(str(each["count"])) for each in task.edges)
    thickness = 1.25 + 2.75 * math.sqrt(float(str(row["count"])) / most) + (1.5 if taken is not None else 0)
    label = edge_label(row)
    title = f"{row['kind']} · {counted(int(str(row['count'])), 'time')} · {percent(float(str(row['share'])))}"
    if row["median_elapsed"] is not None:
        title += f" · median {duration(float(str(row['median_elapsed'])))}"
    if taken:
        title += f" · taken as {_order(taken)}"
    spot = _spot(task, points, source, target, height, label)
    fades = trace is not None and taken is None
    return Line(first + source, first + target, points, str(row["kind"]), thickness, title, label, spot, taken is not None, fades)


def edge_label(row: Mapping[str, object]) -> str:
    """Share where it is one of several, and the median time where it is known."""
    share, median = float(str(row["share"])), row["median_elapsed"]
    parts = [percent(share)] if share < 0.9995 else []
    parts += [] if median is None else [duration(float(str(median)))]
    return " · ".join(parts)


def _spot(
    task: _Task, points: Sequence[tuple[float, float]], source: int, target: int, height: float, label: str
) -> tuple[float, float]:
    """Where the label stands free: by the end of the edge that no other edge shares."""
    (x, y), (to_x, to_y) = points[0], points[-1]
    if len(points) == 4 and points[1][0] == points[2][0] > x:
        return points[1][0] - text_width(label, SMALL) / 2, (y + to_y) / 2 + 4
    if y == to_y:
        return (x + to_x) / 2 - text_width(label, SMALL) / 2, y - 6
    alone = sum((row["target"] or task.end) == target for row in task.edges) == 1
    if alone:
        return to_x + 8, to_y - height / 2 - 16
    if sum(row["source"] == source for row in task.edges) == 1:
        return x + 8, y + height / 2 + 18
    before, after = points[0], points[1]
    return (before[0] + after[0]) / 2 + 8, (before[1] + after[1]) / 2 + 4


def _below(scene: Scene, band: Scene, y: float) -> Scene:
    """The scene with the band under it."""
    def down(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
        return tuple((px, py + y) for px, py in points)

    return replace(
        scene,
        width=max(scene.width, band.width),
        height=y + band.height,
        boxes=scene.boxes + tuple(replace(box, y=box.y + y) for box in band.boxes),
        lines=scene.lines
        + tuple(replace(each, points=down(each.points), label_at=down([each.label_at])[0]) for each in band.lines),
        bands=scene.bands + tuple(each._replace(y=each.y + y) for each in band.bands),
        texts=scene.texts + tuple(each._replace(y=each.y + y) for each in band.texts),
    )


def _numbered(scene: Scene) -> Scene:
    """The same with the boxes numbered 1, 2, … throughout."""
    number = {box.id: at for at, box in enumerate(scene.boxes, 1)}
    lines = (replace(each, source=number[each.source], target=number[each.target]) for each in scene.lines)
    return replace(
        scene, boxes=tuple(replace(box, id=number[box.id]) for box in scene.boxes), lines=tuple(lines)
    )


_UNUSED = (FONT, Key)
