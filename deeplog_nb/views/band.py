"""One task as shapes: its steps as boxes, its edges as lines, a session's way painted over.

Which steps and edges there are was decided before, and what a key is called; places come from ``layers``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.views.awaited import BEGIN, awaited
from deeplog_nb.views.axes import counted
from deeplog_nb.views.edges import Bundle, Edge, label, share, spot, told
from deeplog_nb.views.groups import bundled, groups
from deeplog_nb.views.layers import Arrow, Point, Route, Size
from deeplog_nb.views.lettering import short, text_width, wrap
from deeplog_nb.views.marks import Mark
from deeplog_nb.views.nesting import Nested, nested
from deeplog_nb.views.scene import (
    KIND_WORDS,
    LOOKS,
    MARGIN,
    ROW,
    SMALL,
    WIDTH,
    Box,
    Ground,
    Line,
    Scene,
    Text,
    badge_width,
)
from deeplog_nb.views.theme import INK, SOFT
from deeplog_nb.workflow.way import Taken, Way

WIDEST: Final = 360.0  # px of a box
NARROW: Final = 220.0  # so narrow a box may hold three lines
NARROWEST: Final = 150.0
PAD: Final = 16.0  # px within a band
HEAD: Final = 38.0  # px of a band's name
TIP: Final[Size] = (84.0, 26.0)  # begin and end
ANY: Final = KIND_WORDS["parallel"]
NOWHERE: Final = (0.0, 0.0), "start"
OFF: Final = "off"  # the kind of the line that leaves the workflow
Labelled = tuple[str, str, tuple[Point, str] | None]  # kind of a line, its label, and where that stands


class Words(NamedTuple):
    """What a key is called: short enough for a box, and whole."""

    name: Callable[[int], str]
    text: Callable[[int], str]


@dataclass(frozen=True)
class TaskBand:
    """A task with what a session did in it. Its nodes are its steps, the begin, the end, and what came instead."""

    task: int
    keys: Mapping[int, int]
    counts: Mapping[int, int]
    edges: Sequence[Edge]
    way: Way | None
    words: Words
    mark: Mark | None = None

    @classmethod
    def of(
        cls, steps: pl.DataFrame, edges: pl.DataFrame, way: Way | None, words: Words, mark: Mark | None = None
    ) -> TaskBand:
        """The band of the one task that these STEPS and EDGES are of."""
        own = steps.filter(pl.col("step") > 0).sort("step")
        keys = dict(own.select("step", pl.col("key").fill_null(0)).rows())
        end = max(keys, default=0) + 1
        target = pl.when(pl.col("target") == 0).then(end).otherwise("target")
        columns = "source", target, pl.col("kind").cast(pl.String), "count", "share", "median_elapsed"
        rows = [Edge(*row) for row in edges.select(*columns).rows()]
        return cls(steps["task"][0], keys, dict(steps.select("step", "count").rows()), rows, way, words, mark)

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
    def frames(self) -> dict[int, tuple[int, ...]]:
        """The nodes that frame steps which come in any order."""
        return dict(enumerate(groups(self.edges, list(self.keys)), self.end + 2))

    @cached_property
    def last(self) -> int:
        """The highest node there can be."""
        return self.end + 1 + len(self.frames)

    @cached_property
    def _home(self) -> dict[int, int]:
        return {node: frame for frame, held in self.frames.items() for node in held}

    @cached_property
    def bundles(self) -> list[Bundle]:
        """All edges, by the line that stands for them; those that go from one step to another first."""
        return sorted(bundled(self.edges, self._home), key=lambda each: each.source == each.target)

    def _nested(self, sizes: Mapping[int, Size]) -> Nested:
        between = [each for each in self.bundles if each.source != each.target]
        arrows = [Arrow(each.source, each.target, each.times, each.back) for each in between]
        off = [] if self.came is None else [Arrow(self._left, self.came, 0.0)]
        return nested(sizes, self.frames, [*arrows, *off])

    @cached_property
    def _left(self) -> int:
        """Where the line that leaves the workflow begins."""
        step = self.way.left[1] if self.way and self.way.left else BEGIN
        return self._home.get(step, step)

    def scene(self, first: int) -> Scene:
        """The task by itself at 0, 0; its boxes are numbered from ``first``."""
        width = self._fitted()
        lines = {node: self._lines(node, width) for node in self.nodes}
        laid = self._nested({node: self._size(node, lines[node], width) for node in self.nodes})
        whole = max(WIDTH, laid.layout.width + 2 * (MARGIN + PAD))
        boxes = [
            *(self._frame(node, laid) for node in self.frames),
            *(self._box(n, laid, lines[n]) for n in self.nodes),
        ]
        told = [text for frame in self.frames for text in self._on_frame(frame, laid)]
        inner = Scene(whole, 0, tuple(boxes), tuple(self._drawn(laid)), texts=tuple(told))
        ground = Ground(MARGIN, 0, whole - 2 * MARGIN, laid.layout.height + HEAD + PAD)
        inner = inner.moved((whole - laid.layout.width) / 2, HEAD, first)
        texts = self._heading() + inner.texts
        return Scene(whole, ground.height + PAD, inner.boxes, inner.lines, (ground,), (), texts)

    def _drawn(self, laid: Nested) -> Iterator[Line]:
        between = sum(each.source != each.target for each in self.bundles)
        own = [Route((laid.places[each.source],) * 2, "self") for each in self.bundles[between:]]
        beside = list(zip(self.bundles, [*laid.layout.routes[:between], *own], strict=True))
        for bundle, route in beside:
            yield self._line(bundle, route, spot(bundle, route, laid.sizes, beside))
        if self.came is not None:
            route = laid.layout.routes[-1]
            yield Line(self._left, self.came, *route, OFF, 2.5, "not in the workflow", taken=True)

    def _fitted(self) -> float:
        """How wide the boxes can be for the task to fit the picture."""
        widths = [WIDEST - 15 * at for at in range(int((WIDEST - NARROWEST) / 15))]
        if not self._fits(widths[0]) and not self._fits(NARROWEST):  # of many steps that is known at once
            return NARROWEST
        return next(filter(self._fits, widths), NARROWEST)

    def _fits(self, width: float) -> bool:
        laid = self._nested(dict.fromkeys(self.nodes, (width, TIP[1])))
        return laid.layout.width <= WIDTH - 2 * (MARGIN + PAD)

    def _frame(self, node: int, laid: Nested) -> Box:
        names = "\n".join(short(self.words.name(self.keys[step])) for step in self.frames[node])
        return Box(node, *laid.places[node], *laid.sizes[node], (), f"In any order:\n{names}", "group")

    def _on_frame(self, frame: int, laid: Nested) -> Iterator[Text]:
        """What it is, and over each of its steps the share of those who come there."""
        (x, y), (width, height) = laid.places[frame], laid.sizes[frame]
        yield Text(x - width / 2 + 14, y - height / 2 + 17, ANY, SMALL, LOOKS["group"].ink)
        for step in self.frames[frame]:
            (x, y), (width, height) = laid.places[step], laid.sizes[step]
            parts = {
                share([each]) for each in self.edges if each.target == step and self._home.get(each.source) != frame
            }
            order = ordered(self._visits(step))
            left = x - width / 2 + (badge_width(order) if order else 0)
            yield Text(left, y - height / 2 - 6, parts.pop() if len(parts) == 1 else "", SMALL, SOFT)

    def _heading(self) -> tuple[Text, ...]:
        name = Text(MARGIN + PAD, 24, f"Task {self.task}", 14, INK, bold=True)
        begun = self.counts.get(BEGIN, 0)
        told = f"begun {counted(begun, 'time')} · {counted(len(self.keys), 'step')}"
        return name, Text(name.x + text_width(name.text, 14) + 12, 24, told, SMALL, SOFT)

    def _lines(self, node: int, width: float) -> tuple[str, ...]:
        if node in (BEGIN, self.end):
            return ("begin" if node == BEGIN else "end",)
        if node == self.came and self.way:
            return wrap(self._instead(self.way.came), width - 20, 2)
        odd = f"{self.mark.word}: " if self.mark and self.mark.step == (self.task, node) else ""
        most = 2 if width > NARROW else 3
        return wrap(odd + self.words.name(self.keys[node]), width - 20, most) or ("(an empty message)",)

    def _instead(self, came: int | None) -> str:
        if came is None:
            return "the session ends here"
        return f"{'came instead' if came else 'came in between'}: {self.words.name(came)}"

    def _size(self, node: int, lines: Sequence[str], width: float) -> Size:
        return TIP if node in (BEGIN, self.end) else (width, 17 + ROW * len(lines))

    def _box(self, node: int, laid: Nested, lines: tuple[str, ...]) -> Box:
        told, look, tip = self._told(node), self._look(node), node in (BEGIN, self.end)
        return Box(node, *laid.places[node], *laid.sizes[node], lines, told, look, ordered(self._visits(node)), tip)

    def _visits(self, node: int) -> Sequence[int]:
        return self.way.visits.get((self.task, node), []) if self.way else []

    def _look(self, node: int) -> str:
        plain = "end" if node in (BEGIN, self.end) else "step"
        if node == self.came:
            return "came"
        if self.way is None:
            return plain
        if self.way.left == (self.task, node):
            return "last"
        if self.mark and self.mark.step == (self.task, node):
            return "odd"
        if node in self._awaited:
            return "expected"
        reached = {
            each for task, *ends in self.way.taken if task == self.task for each in (ends[0], ends[1] or self.end)
        }
        return "taken" if node in reached else "faded" if plain == "step" else plain

    @cached_property
    def _awaited(self) -> frozenset[int]:
        """Where what should have come has its place, if it was in this task that the session left."""
        if self.came is None or self.way is None or self.way.left is None:
            return frozenset()
        return awaited(self.way.expected, self.way.left[1], self.keys, self.edges, self.end)

    def _told(self, node: int) -> str:
        if node in (BEGIN, self.end):
            return f"Task {self.task} {'begins' if node == BEGIN else 'ends'} here"
        if node == self.came and self.way:
            came = self.way.came
            return (
                "The session ends here"
                if came is None
                else f"Came {'instead' if came else 'in between'}: {short(self.words.text(came))} (key {came})"
            )
        key = self.keys[node]
        return f"{short(self.words.text(key))}\nkey {key} · seen here {counted(self.counts[node], 'time')}"

    def _line(self, bundle: Bundle, route: Route, place: tuple[Point, str] | None) -> Line:
        taken = self._taken(bundle.edges)
        most = max(each.times for each in self.edges)
        thickness = 1.25 + 2.75 * math.sqrt(bundle.times / most) + (1.5 if taken is not None else 0)
        kind = bundle.edges[0].kind
        if kind == "parallel" and (bundle.source in self.frames or bundle.target in self.frames):
            kind = "next"  # that they come in any order is what the frame says
        if route.shape == "self":
            thickness = min(thickness, 2.0)
        title = told(bundle.edges, self._name)
        title += f"\ntaken as entry {ordered(taken)}" if taken else ""
        text = label(bundle.edges, shares=bundle.target not in self.frames) if place else ""
        kind, text, place = self._marked(bundle, route, (kind, text, place))
        painted = taken is not None, self.way is not None and taken is None
        return Line(bundle.source, bundle.target, *route, kind, thickness, title, text, *(place or NOWHERE), *painted)

    def _marked(self, bundle: Bundle, route: Route, plain: Labelled) -> Labelled:
        """Kind, label and its place of a line, which tells of an edge's unusual time wherever the line runs."""
        if self.mark is None:
            return plain
        ways = [self._way(each) for each in bundle.edges]
        own = next((way for way in ways if way in self.mark.kinds), None)
        if own is None or not self.mark.told[own]:
            return plain if own is None else (self.mark.kinds[own], *plain[1:])
        (x, y), (to_x, to_y) = route.points[:2]
        return self.mark.kinds[own], self.mark.told[own], plain[2] or (((x + to_x) / 2 + 9, (y + to_y) / 2), "start")

    def _way(self, edge: Edge) -> Taken:
        return self.task, edge.source, 0 if edge.target == self.end else edge.target

    def _taken(self, edges: Sequence[Edge]) -> list[int] | None:
        """The numbers of the entries that took any of these edges, none if one was taken without; else None."""
        taken = self.way.taken if self.way else {}
        found = [taken[way] for way in map(self._way, edges) if way in taken]
        return sorted({number for numbers in found for number in numbers}) if found else None

    def _name(self, node: int) -> str:
        return "begin" if node == BEGIN else "end" if node == self.end else self.words.name(self.keys[node])


def ordered(numbers: Sequence[int]) -> str:
    """The numbers of entries, the first three and the last."""
    return ", ".join(map(str, numbers[:3])) + (f" … {numbers[-1]}" if len(numbers) > 3 else "")
