"""Where the steps of a task are drawn: in layers from begin to end, the same numbers each time.

Sugiyama's four steps (Sugiyama, Tagawa and Toda 1981): edges that go back are set aside, the longest path gives the
layer, barycentres give the order within it, and an isotonic regression the places. It knows no log and draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

GAP: Final = 34.0  # px between boxes side by side
PITCH: Final = 40.0  # px between layers, where the labels stand
LANE: Final = 78.0  # px for an edge that goes back, and its label
SWEEPS: Final = 8  # over all layers, of ordering and of placing
MAIN: Final = 0.75  # of the weight at a node: an arrow with so much is drawn straight down

Size = tuple[float, float]


class Arrow(NamedTuple):
    """An edge to draw; the heavier, the straighter. ``back`` says that it is known to go back."""

    source: int
    target: int
    weight: float = 1.0
    back: bool = False


Point = tuple[float, float]
Shape = Literal["down", "beside", "lane", "self"]


class Route(NamedTuple):
    """The points that an arrow passes from centre to centre, and how: from layer to layer, or aside."""

    points: tuple[Point, ...]
    shape: Shape


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, the routes of the arrows (in the order given), and the size of it all."""

    places: Mapping[int, Point]
    routes: tuple[Route, ...]
    layers: Mapping[int, int]
    width: float
    height: float


def arrange(sizes: Mapping[int, Size], arrows: Sequence[Arrow]) -> Layout:
    """The layout of these nodes, boxes so wide and high, from top to bottom.

    Arrows go from one layer to a lower one, those that go back run in lanes at the right, and two nodes with
    arrows both ways and the same predecessors stand side by side.

    >>> fork = [Arrow(1, 2), Arrow(1, 3), Arrow(2, 4), Arrow(3, 4)]
    >>> arrange(dict.fromkeys([1, 2, 3, 4], (100, 30)), fork).places
    {1: (117.0, 15.0), 2: (50.0, 85.0), 3: (184.0, 85.0), 4: (117.0, 155.0)}
    """
    nodes = list(sizes)
    down = _forward(nodes, arrows)
    layers = _longest(nodes, [arrows[at] for at in down])
    down = [at for at in down if layers[arrows[at].source] < layers[arrows[at].target]]
    chains, rows, links = _chains(arrows, down, layers)
    rows = _ordered(rows, links)
    widths = {node: sizes[node][0] if node in sizes else -GAP / 2 for row in rows for node in row}  # ways lie close
    xs = _placed(rows, links, widths)
    halves = {node: max(width, 0.0) / 2 for node, width in widths.items()}
    left = min((x - halves[node] for node, x in xs.items()), default=0.0)
    heights = [max((sizes[node][1] for node in row if node in sizes), default=0.0) for row in rows]
    middles = [sum(heights[:at]) + at * PITCH + height / 2 for at, height in enumerate(heights)]
    places = {node: (round(xs[node] - left, 1), y) for row, y in zip(rows, middles, strict=True) for node in row}
    right = max((x + halves[node] for node, (x, _) in places.items()), default=0.0)
    back = _lanes(arrows, set(down), places, right)
    rims = {node: _rims(places[node], height) for row, height in zip(rows, heights, strict=True) for node in row}
    passed = {
        at: [places[chain[0]], *(rim for node in chain[1:-1] for rim in rims[node]), places[chain[-1]]]
        for at, chain in chains.items()
    }
    routes = tuple(Route(tuple(passed[at]), "down") if at in chains else back[at] for at in range(len(arrows)))
    lanes = {x for route in back.values() for x, _ in route.points if x > right}
    size = right + LANE * len(lanes), sum(heights) + PITCH * max(len(rows) - 1, 0)
    return Layout({node: places[node] for node in nodes}, routes, layers, *size)


def _forward(nodes: Sequence[int], arrows: Sequence[Arrow]) -> list[int]:
    """Positions of the arrows that do not go back: no loop, no way both ways, none that closes a cycle."""
    pairs = {(each.source, each.target) for each in arrows if not each.back}
    kept = [
        at
        for at, each in enumerate(arrows)
        if not each.back and each.source != each.target and (each.target, each.source) not in pairs
    ]
    after: dict[int, list[int]] = {node: [] for node in nodes}
    for at in sorted(kept, key=lambda at: -arrows[at].weight):  # of a cycle, the rarest arrow goes back
        if not _reaches(after, arrows[at].target, arrows[at].source):
            after[arrows[at].source].append(arrows[at].target)
    return [at for at in kept if arrows[at].target in after[arrows[at].source]]


def _reaches(after: Mapping[int, Sequence[int]], start: int, goal: int) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        fresh = [node for node in after[here] if node not in seen]
        seen.update(fresh)
        waiting += fresh
    return False


def _longest(nodes: Sequence[int], arrows: Iterable[Arrow]) -> dict[int, int]:
    """The layer of each node: the most arrows on any way to it. Without cycles, by then."""
    listed = list(arrows)
    layers = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for source, target, *_ in listed:
            if layers[target] <= layers[source]:
                layers[target], moved = layers[source] + 1, True
        if not moved:
            break
    return layers


_Link = tuple[int, int, float]


def _chains(
    arrows: Sequence[Arrow], down: Iterable[int], layers: Mapping[int, int]
) -> tuple[dict[int, list[int]], list[list[int]], list[_Link]]:
    """Each arrow as a chain of nodes, one a layer: between its ends, places that keep the way free."""
    rows: list[list[int]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node, layer in layers.items():
        rows[layer].append(node)
    chains, links, fresh = {}, [], min([*layers, 0]) - 1
    for at in down:
        source, target, weight, _ = arrows[at]
        between = range(layers[source] + 1, layers[target])
        chains[at] = [source, *range(fresh, fresh - len(between), -1), target]
        for layer, node in zip(between, chains[at][1:], strict=False):
            rows[layer].append(node)
        fresh -= len(between)
        links += [(upper, lower, weight) for upper, lower in pairwise(chains[at])]
    return chains, rows, links


def _beside(rows: Sequence[Sequence[int]], links: Iterable[_Link]) -> tuple[dict[int, list[tuple[int, float]]], ...]:
    """Above and below each node: its neighbours there, with the weight of the way to them."""
    above: dict[int, list[tuple[int, float]]] = {node: [] for row in rows for node in row}
    below: dict[int, list[tuple[int, float]]] = {node: [] for row in rows for node in row}
    for upper, lower, weight in links:
        above[lower].append((upper, weight))
        below[upper].append((lower, weight))
    return above, below


def _ordered(rows: list[list[int]], links: Sequence[_Link]) -> list[list[int]]:
    """The rows in the order with the fewest crossings that barycentres find, swept down and up."""
    above, below = _beside(rows, links)
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        beside = below if sweep % 2 else above
        rows = list(rows)
        place = {node: float(x) for row in rows for x, node in enumerate(row)}
        for at in range(len(rows)) if not sweep % 2 else range(len(rows) - 1, -1, -1):
            rows[at] = sorted(rows[at], key=lambda node: _mean(beside[node], place, place[node]))
            place |= {node: float(x) for x, node in enumerate(rows[at])}
        crossed = _crossings(rows, below)
        if crossed < fewest:
            best, fewest = rows, crossed
    return best


def _mean(beside: Sequence[tuple[int, float]], place: Mapping[int, float], otherwise: float) -> float:
    total = sum(weight for _, weight in beside)
    return sum(place[node] * weight for node, weight in beside) / total if total else otherwise


def _crossings(rows: Sequence[Sequence[int]], below: Mapping[int, Sequence[tuple[int, float]]]) -> int:
    place = {node: x for row in rows for x, node in enumerate(row)}
    ends = [
        [place[lower] for node in row for lower, _ in sorted(below[node], key=lambda b: place[b[0]])] for row in rows
    ]
    return sum(left > right for row in ends for at, left in enumerate(row) for right in row[at + 1 :])


def _placed(rows: Sequence[Sequence[int]], links: Sequence[_Link], widths: Mapping[int, float]) -> dict[int, float]:
    """Where each node is from left to right: as near to its neighbours as order and widths allow."""
    above, below = _beside(rows, links)
    xs = {node: x * (max(widths.values(), default=0.0) + GAP) for row in rows for x, node in enumerate(row)}
    boxes = {node for node, width in widths.items() if width > 0}
    for sweep in range(2 * SWEEPS):
        first, then = (below, above) if sweep % 2 else (above, below)
        for row in rows if not sweep % 2 else rows[::-1]:
            wanted = [_pulled(first[node] or then[node], xs, xs[node], boxes) for node in row]
            shift = [0.0]
            for left, right in pairwise(row):
                shift.append(shift[-1] + (widths[left] + widths[right]) / 2 + GAP)
            heft = {
                node: 1.0 if node in boxes else (1 - MAIN) / MAIN for node in row
            }  # a box yields to a main way only
            weights = [1 + (heft[node] * sum(w for _, w in (*above[node], *below[node]))) ** 4 for node in row]
            fitted = _rising([want - s for want, s in zip(wanted, shift, strict=True)], weights)
            xs |= {node: x + s for node, x, s in zip(row, fitted, shift, strict=True)}
    return xs


def _pulled(beside: Sequence[tuple[int, float]], xs: Mapping[int, float], otherwise: float, boxes: set[int]) -> float:
    """Straight below the main neighbour if there is one, else in the middle of the boxes, or of all."""
    if not beside:
        return otherwise
    main, most = max(beside, key=lambda each: each[1])
    if most >= MAIN * sum(weight for _, weight in beside):
        return xs[main]
    around = [xs[node] for node, _ in beside if node in boxes] or [xs[node] for node, _ in beside]
    return (min(around) + max(around)) / 2


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The rising sequence nearest to these values: pool adjacent violators."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, heft, size = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, much, many = blocks.pop()
            mean, heft, size = (before * much + mean * heft) / (much + heft), much + heft, size + many
        blocks.append((mean, heft, size))
    return [mean for mean, _, size in blocks for _ in range(size)]


def _lanes(arrows: Sequence[Arrow], down: set[int], places: Mapping[int, Point], right: float) -> dict[int, Route]:
    """The ways of the other arrows: to itself, to a neighbour of the layer, else out to a lane and back."""
    routes: dict[int, Route] = {}
    taken: list[list[tuple[float, float]]] = []
    rest = [at for at in range(len(arrows)) if at not in down]
    for at in sorted(rest, key=lambda at: abs(places[arrows[at].source][1] - places[arrows[at].target][1])):
        (x, y), (to_x, to_y) = places[arrows[at].source], places[arrows[at].target]
        between = [each for each, (px, py) in places.items() if py == y == to_y and min(x, to_x) < px < max(x, to_x)]
        if y == to_y and not between:
            own = arrows[at].source == arrows[at].target
            routes[at] = Route(((x, y), (to_x, to_y)), "self" if own else "beside")
            continue
        low, high = min(y, to_y), max(y, to_y)
        free = (n for n, lane in enumerate(taken) if all(high + 8 < a or b < low - 8 for a, b in lane))
        lane = next(free, len(taken))
        taken += [[]] * (lane == len(taken))
        taken[lane] = [*taken[lane], (low, high)]
        out = right + LANE * (lane + 0.5)
        routes[at] = Route(((x, y), (out, y), (out, to_y), (to_x, to_y)), "lane")
    return routes


def _rims(place: Point, height: float) -> tuple[Point, Point]:
    """Where a way past the boxes of a layer meets it and leaves it: between, it is straight."""
    x, y = place
    return (x, y - height / 2), (x, y + height / 2)
