"""A layout some of whose boxes stand together in a frame: the frame is laid out as one box, and they within it.

How the outer boxes are laid out is in ``layers``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from deeplog_nb.views.layers import GAP, Arrow, Layout, Point, Size, arrange

ROW: Final = 3  # boxes side by side in a frame
HEAD: Final = 38.0  # px of a frame above its boxes: what it is, and the labels of their ways to themselves
BELOW: Final = 30.0  # px between its rows
SIDE: Final = 26.0  # px at its sides, where ways to themselves bend out
FOOT: Final = 16.0


class Nested(NamedTuple):
    """A layout, and where the boxes in its frames are; sizes of all, the frames with them."""

    layout: Layout
    places: Mapping[int, Point]
    sizes: Mapping[int, Size]


def nested(sizes: Mapping[int, Size], frames: Mapping[int, Sequence[int]], arrows: Sequence[Arrow]) -> Nested:
    """The layout of these boxes, of which each frame holds some; arrows go to a frame, not to what is in it.

    >>> laid = nested({1: (90, 30), 2: (90, 30), 3: (90, 30)}, {9: (2, 3)}, [Arrow(1, 9)])
    >>> laid.places[1][0] == laid.places[9][0], laid.places[2][1] == laid.places[3][1], laid.sizes[9]
    (True, True, (266.0, 84.0))
    """
    inner = {node for held in frames.values() for node in held}
    whole = dict(sizes) | {frame: _size(held, sizes) for frame, held in frames.items()}
    layout = arrange({node: size for node, size in whole.items() if node not in inner}, arrows)
    places = dict(layout.places)
    for frame, held in frames.items():
        places |= _within(places[frame], whole[frame], held, sizes)
    return Nested(layout, places, whole)


def _rows(held: Sequence[int]) -> list[Sequence[int]]:
    """The boxes in rows about as long as each other."""
    wide = math.ceil(len(held) / math.ceil(len(held) / ROW))
    return [held[at : at + wide] for at in range(0, len(held), wide)]


def _size(held: Sequence[int], sizes: Mapping[int, Size]) -> Size:
    rows = _rows(held)
    width = max(sum(sizes[node][0] for node in row) + GAP * (len(row) - 1) for row in rows)
    height = sum(max(sizes[node][1] for node in row) for row in rows) + BELOW * (len(rows) - 1)
    return width + 2 * SIDE, height + HEAD + FOOT


def _within(middle: Point, size: Size, held: Sequence[int], sizes: Mapping[int, Size]) -> dict[int, Point]:
    places, y = {}, middle[1] - size[1] / 2 + HEAD
    for row in _rows(held):
        height = max(sizes[node][1] for node in row)
        x = middle[0] - (sum(sizes[node][0] for node in row) + GAP * (len(row) - 1)) / 2
        for node in row:
            places[node] = x + sizes[node][0] / 2, y + height / 2
            x += sizes[node][0] + GAP
        y += height + BELOW
    return places
