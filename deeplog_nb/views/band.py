"""One task as shapes: its steps as boxes, its edges as lines, a session's way painted over.

Which steps and edges there are was decided before, and what a key is called; places come from ``layers``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.views.axes import counted, duration, percent
from deeplog_nb.views.layers import Arrow, Layout, Route, Size, arrange
from deeplog_nb.views.lettering import short, text_width, wrap
from deeplog_nb.views.scene import MARGIN, ROW, SMALL, WIDTH, Box, Ground, Line, Scene, Text
from deeplog_nb.views.theme import INK, SOFT
from deeplog_nb.workflow.way import Way

WIDEST: Final = 360.0  # px of a box
NARROWEST: Final = 150.0
PAD: Final = 16.0  # px within a band
HEAD: Final = 38.0  # px of a band's name
TIP: Final[Size] = (84.0, 26.0)  # begin and end
BEGIN: Final = 0
OFF: Final = "off"  # the kind of the line that leaves the workflow


class Words(NamedTuple):
    """What a key is called: short enough for a box, and whole."""

    name: Callable[[int], str]
    text: Callable[[int], str]


class Edge(NamedTuple):
    """A row of EDGES, where the end is a node of its own."""

    source: int
    target: int
    kind: str
    times: int
    share: float
    median: float | None


@dataclass(frozen=True)
class TaskBand:
    """A task with what a session did in it. Its nodes are its steps, the begin, the end, and what came instead."""

    task: int
    keys: Mapping[int, int]
    counts: Mapping[int, int]
    edges: Sequence[Edge]
    way: Way | None
    words: Words

    @classmethod
    def of(cls, steps: pl.DataFrame, edges: pl.DataFrame, way: Way | None, words: Words) -> TaskBand:
        """The band of the one task that these STEPS and EDGES are of."""
        own = steps.filter(pl.col("step") > 0).sort("step")
        keys = dict(own.select("step", pl.col("key").fill_null(0)).rows())
        end = max(keys, default=0) + 1
        target = pl.when(pl.col("target") == 0).then(end).otherwise("target")
        columns = "source", target, pl.col("kind").cast(pl.String), "count", "share", "median_elapsed"
        rows = [Edge(*row) for row in edges.select(*columns).rows()]
        return cls(steps["task"][0], keys, dict(steps.select("step", "count").rows()), rows, way, words)

    @cached_property
    def end(self) -> int:
        """The node of the task's end."""
        return max(self.keys, default=0) + 1

    @cached_property
    def came(self) -> int | None:
        """The node of what came instead of what was expected, if it was in this task."""
        return self.end + 1 if self.way and self.way.left and self.way.left[0] == self.task else None

    @cached_property
    def nodes(self) -> list[int]:
        """All that is drawn as a box."""
        return [BEGIN, *self.keys, self.end, *([] if self.came is None else [self.came])]

    @cached_property
    def arrows(self) -> list[Arrow]:
        """All that is drawn as a line, the edges first."""
        off = [] if self.came is None or not self.way or not self.way.left else [(self.way.left[1], self.came)]
        edges = [Arrow(each.source, each.target, each.times, each.kind == "loop") for each in self.edges]
        return edges + [Arrow(source, target, 0.0) for source, target in off]

    @cached_property
    def _downward(self) -> list[Edge]:
        """The edges that share their ends with others: no loops, none between neighbours."""
        pairs = {(each.source, each.target) for each in self.edges if each.kind != "loop"}
        return [each for each in self.edges if each.kind != "loop" and (each.target, each.source) not in pairs]

    def scene(self, first: int) -> Scene:
        """The task by itself at 0, 0; its boxes are numbered from ``first``."""
        width, layout = self._fitted()
        lines = {node: self._lines(node, width) for node in self.nodes}
        sizes = {node: self._size(node, lines[node], width) for node in self.nodes}
        layout = arrange(sizes, self.arrows)
        whole = max(WIDTH, layout.width + 2 * (MARGIN + PAD))
        at = (whole - layout.width) / 2, HEAD
        boxes = [self._box(node, layout, sizes[node], lines[node]) for node in self.nodes]
        edges = [self._line(each, route, sizes) for each, route in zip(self.edges, layout.routes, strict=False)]
        off = [
            Line(arrow.source, arrow.target, *layout.routes[-1], OFF, 2.5, "not in the workflow", taken=True)
            for arrow in self.arrows[len(self.edges) :]
        ]
        ground = Ground(MARGIN, 0, whole - 2 * MARGIN, layout.height + HEAD + PAD)
        inner = Scene(whole, 0, tuple(boxes), (*edges, *off)).moved(*at, first)
        return Scene(whole, ground.height + PAD, inner.boxes, inner.lines, (ground,), (), self._heading())

    def _fitted(self) -> tuple[float, Layout]:
        """How wide the boxes can be for the task to fit the picture."""
        room, width = WIDTH - 2 * (MARGIN + PAD), WIDEST
        layout = arrange(dict.fromkeys(self.nodes, (width, TIP[1])), self.arrows)
        while layout.width > room and width > NARROWEST:
            width = max(width - 15, NARROWEST)
            layout = arrange(dict.fromkeys(self.nodes, (width, TIP[1])), self.arrows)
        return width, layout

    def _heading(self) -> tuple[Text, ...]:
        name = Text(MARGIN + PAD, 24, f"Task {self.task}", 14, INK, bold=True)
        begun = self.counts.get(BEGIN, 0)
        told = f"begun {counted(begun, 'time')} · {counted(len(self.keys), 'step')}"
        return name, Text(name.x + text_width(name.text, 14) + 12, 24, told, SMALL, SOFT)

    def _lines(self, node: int, width: float) -> tuple[str, ...]:
        if node in (BEGIN, self.end):
            return ("begin" if node == BEGIN else "end",)
        if node == self.came and self.way:
            came = "the session ends here" if self.way.came is None else self.words.name(self.way.came)
            return wrap(f"came instead: {came}", width - 20, 2)
        return wrap(self.words.name(self.keys[node]), width - 20, 2) or ("(an empty message)",)

    def _size(self, node: int, lines: Sequence[str], width: float) -> Size:
        return TIP if node in (BEGIN, self.end) else (width, 17 + ROW * len(lines))

    def _box(self, node: int, layout: Layout, size: Size, lines: tuple[str, ...]) -> Box:
        visits = self.way.visits.get((self.task, node), []) if self.way else []
        return Box(
            node,
            *layout.places[node],
            *size,
            lines,
            self._told(node),
            self._look(node),
            ordered(visits),
            node in (BEGIN, self.end),
        )

    def _look(self, node: int) -> str:
        plain = "end" if node in (BEGIN, self.end) else "step"
        if node == self.came:
            return "came"
        if self.way is None:
            return plain
        if self.way.left == (self.task, node):
            return "last"
        if self.came is not None and self.way.left and self._follows(self.way.left[1], node):
            return "expected"
        reached = {
            each for task, *ends in self.way.taken if task == self.task for each in (ends[0], ends[1] or self.end)
        }
        return "taken" if node in reached else "faded" if plain == "step" else plain

    def _follows(self, step: int, node: int) -> bool:
        return any((each.source, each.target) == (step, node) for each in self.edges)

    def _told(self, node: int) -> str:
        if node in (BEGIN, self.end):
            return f"Task {self.task} {'begins' if node == BEGIN else 'ends'} here"
        if node == self.came and self.way:
            came = self.way.came
            return (
                "The session ends here"
                if came is None
                else f"Came instead: {short(self.words.text(came))} (key {came})"
            )
        key = self.keys[node]
        return f"{short(self.words.text(key))}\nkey {key} · seen here {counted(self.counts[node], 'time')}"

    def _line(self, edge: Edge, route: Route, sizes: Mapping[int, Size]) -> Line:
        to = 0 if edge.target == self.end else edge.target
        taken = self.way.taken.get((self.task, edge.source, to)) if self.way else None
        most = max(each.times for each in self.edges)
        thickness = 1.25 + 2.75 * math.sqrt(edge.times / most) + (1.5 if taken is not None else 0)
        title = f"{edge.kind} · {counted(edge.times, 'time')} · {percent(edge.share)} of what leaves the step above"
        title += "" if edge.median is None else f"\nmedian {duration(edge.median)}"
        title += f"\ntaken as entry {ordered(taken)}" if taken else ""
        label = edge_label(edge) if self._has_room(edge, route) else ""
        spot, anchor = self._spot(edge, route, sizes)
        painted = taken is not None, self.way is not None and taken is None
        return Line(edge.source, edge.target, *route, edge.kind, thickness, title, label, spot, anchor, *painted)

    def _spot(self, edge: Edge, route: Route, sizes: Mapping[int, Size]) -> tuple[tuple[float, float], str]:
        """Where the label stands free: by the end that no other edge shares, on the outer side of the curve."""
        (x, y), (to_x, to_y) = route.points[0], route.points[-1]
        if route.shape == "lane":
            return (route.points[1][0], (y + to_y) / 2 + 4), "middle"
        if route.shape == "self":
            return (x + sizes[edge.source][0] / 2 - 6, y - sizes[edge.source][1] / 2 - 6), "end"
        side = 1 if to_x >= x - 8 else -1
        if sum(each.target == edge.target for each in self._downward) == 1:
            return (to_x + 9 * side, to_y - sizes[edge.target][1] / 2 - 13), "start" if side > 0 else "end"
        if sum(each.source == edge.source for each in self._downward) == 1:
            side = -side if abs(to_x - x) > 8 else 1
            return (x + 9 * side, y + sizes[edge.source][1] / 2 + 20), "start" if side > 0 else "end"
        return (to_x, to_y), "middle"

    def _has_room(self, edge: Edge, route: Route) -> bool:
        """Not side by side, and not where edges cross, both of whose ends others share."""
        sources = sum(each.source == edge.source for each in self._downward)
        targets = sum(each.target == edge.target for each in self._downward)
        return route.shape in ("lane", "self") or (route.shape == "down" and (sources == 1 or targets == 1))


def ordered(numbers: Sequence[int]) -> str:
    """The numbers of entries, the first three and the last."""
    return ", ".join(map(str, numbers[:3])) + (f" … {numbers[-1]}" if len(numbers) > 3 else "")


def edge_label(edge: Edge) -> str:
    """Share where it is one of several, and the median time where it is known."""
    share = [] if edge.share > 0.995 else ["< 1 %" if edge.share < 0.01 else f"{edge.share:.0%}".replace("%", " %")]
    return " · ".join(share + ([] if edge.median is None else [duration(edge.median)]))
