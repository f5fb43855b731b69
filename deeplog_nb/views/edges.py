"""What a line of the picture stands for, one edge or several, and what is said of it: on it, and when it is asked.

Which edges make one line is in ``groups``; where lines run, in ``layers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from deeplog_nb.views.axes import counted, duration, percent
from deeplog_nb.views.layers import Point, Route, Size
from deeplog_nb.views.lettering import short
from deeplog_nb.views.text import gist

NAME: Final = 48  # characters of a step's name, where several edges are told
TOLD: Final = 12  # edges of a bundle that are told one by one


class Edge(NamedTuple):
    """A row of EDGES, where the end is a node of its own."""

    source: int
    target: int
    kind: str
    times: int
    share: float
    median: float | None


class Bundle(NamedTuple):
    """The edges that are drawn as one line: from a step, or a group of them, to another."""

    source: int
    target: int
    edges: tuple[Edge, ...]

    @property
    def times(self) -> int:
        """How often it was taken; who comes through a group takes many of its edges at once."""
        return max(each.times for each in self.edges)

    @property
    def back(self) -> bool:
        """Whether it leads back."""
        return self.edges[0].kind == "loop"


def label(edges: Sequence[Edge], *, shares: bool = True) -> str:
    """Share where it is one of several, and the median time where it is known; from least to most of several edges."""
    waits = sorted(each.median for each in edges if each.median is not None)
    return " · ".join(filter(None, [share(edges) if shares else "", _span(list(map(duration, waits)))]))


def share(edges: Sequence[Edge]) -> str:
    """The least and the most share of these edges, unless it is all or nearly all."""
    found = sorted(each.share for each in edges)
    return "" if found[0] > 0.995 else _span(["< 1 %" if x < 0.01 else f"{100 * x:.0f} %" for x in found])


def _span(texts: Sequence[str]) -> str:
    """From the first to the last, the unit once if it is the same."""
    if not texts or texts[0] == texts[-1]:
        return texts[0] if texts else ""
    first, unit = texts[0].rsplit(" ", 1)
    return f"{first if texts[-1].endswith(f' {unit}') else texts[0]} – {texts[-1]}"


def told(edges: Sequence[Edge], name: Callable[[int], str]) -> str:
    """What there is to say of these edges, one by one where there are several."""
    if len(edges) == 1:
        kind, times, part, median = edges[0][2:]
        said = f"{kind} · {counted(times, 'time')} · {percent(part)} of what leaves the step above"
        return said + ("" if median is None else f"\nmedian {duration(median)}")
    lines = [
        f"{short(gist(name(each.source), NAME))} → {short(gist(name(each.target), NAME))}: "
        f"{each.times:,}, {label([each]) or '100 %'}"
        for each in edges[:TOLD]
    ]
    more = [f"… {len(edges) - TOLD} more, in the table"] if len(edges) > TOLD else []
    return "\n".join([f"{len(edges)} edges of steps that come in any order", *lines, *more])


def spot(
    bundle: Bundle, route: Route, sizes: Mapping[int, Size], beside: Sequence[tuple[Bundle, Route]]
) -> tuple[Point, str] | None:
    """Where its label stands free, and its anchor: by the end that no other line shares, outside the curve.

    None side by side, and where lines cross, both of whose ends others share. ``beside`` has all lines.
    """
    (x, y), (to_x, to_y) = route.points[0], route.points[-1]
    if route.shape == "lane":
        return (route.points[1][0], (y + to_y) / 2 + 4), "middle"
    if route.shape == "self":
        return (x + sizes[bundle.source][0] / 2 - 6, y - sizes[bundle.source][1] / 2 - 6), "end"
    down = [(each, way.points) for each, way in beside if way.shape == "down" and each != bundle]
    leaving = [points[1][0] - x for each, points in down if each.source == bundle.source]
    coming = [points[-2][0] - to_x for each, points in down if each.target == bundle.target]
    if route.shape == "down" and not coming:
        side = _side(to_x - x, leaving)
        return (to_x + 9 * side, to_y - sizes[bundle.target][1] / 2 - 13), "start" if side > 0 else "end"
    if route.shape == "down" and not leaving:
        side = _side(x - to_x, coming)
        return (x + 9 * side, y + sizes[bundle.source][1] / 2 + 20), "start" if side > 0 else "end"
    return None


def _side(slant: float, others: Sequence[float]) -> int:
    """Right or left of a line: on its outer side; where it is straight, away from the others."""
    if abs(slant) > 8:
        return 1 if slant > 0 else -1
    return -1 if others and min(others) > 0 else 1
