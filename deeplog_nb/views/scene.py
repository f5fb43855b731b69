"""A workflow as shapes and texts with their places: what the static picture and the live one both draw.

How texts are made short enough is in ``lettering``. It knows neither SVG nor pyvis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from deeplog_nb.views.layers import Shape
from deeplog_nb.views.lettering import FONT, text_width
from deeplog_nb.views.theme import BLUE, CARD, INK, SOFT

WIDTH: Final = 880.0  # px of the picture, where nothing needs more
MARGIN: Final = 18.0
ROW: Final = 17.0  # px from line to line there
SMALL: Final = 11.5  # px of a label

ANY_ORDER: Final = "#A0467A"
OFF_INK: Final = "#B84F00"

KINDS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "next": (SOFT, ()),
    "branch": (BLUE, (9, 5)),
    "parallel": (ANY_ORDER, (14, 4, 2, 4)),
    "loop": ("#00795A", (2, 4)),
    "off": (OFF_INK, (5, 4)),
    "slow": (OFF_INK, (20, 3)),
    "quick": (OFF_INK, (2, 2)),
}
"""Colour and dash of each kind of edge; ``off`` leads out of the workflow; two tell of one entry's time.
Okabe and Ito's, dark enough for text."""

KIND_WORDS: Final = {
    "next": "next",
    "branch": "one of several",
    "parallel": "in any order",
    "loop": "again",
    "off": "not in the workflow",
    "slow": "slower than usual",
    "quick": "quicker than usual",
}


FADED: Final = 0.6  # opacity of what the session did not take
PALE: Final = "#616E7C"  # ink of its labels, 5 : 1 on the card


class Look(NamedTuple):
    """How a box is drawn."""

    fill: str
    border: str
    thickness: float
    ink: str = INK
    dash: tuple[float, ...] = ()


LOOKS: Final = {
    "step": Look("#F5F7FA", "#7B8794", 1.0),
    "end": Look(CARD, "#7B8794", 1.0, SOFT),
    "faded": Look(CARD, "#9AA5B1", 1.0, SOFT),
    "taken": Look("#E6F1F8", BLUE, 2.5),
    "last": Look("#FDF1EA", OFF_INK, 3.0),
    "expected": Look(CARD, BLUE, 2.0, INK, (4, 3)),
    "group": Look("#FCF8FA", ANY_ORDER, 1.25, ANY_ORDER, (14, 4, 2, 4)),
    "odd": Look("#FDF1EA", OFF_INK, 3.0),
    "came": Look("#FDF1EA", OFF_INK, 2.0, INK, (5, 4)),
}


@dataclass(frozen=True)
class Box:
    """A step, the begin or end of a task, what came instead, or the frame of steps that come in any order."""

    id: int
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    title: str
    look: str
    order: str = ""  # the numbers of the session's entries here
    round: bool = False


@dataclass(frozen=True)
class Line:
    """An edge: the points it passes, from the centre of a box to the centre of another."""

    source: int
    target: int
    points: tuple[tuple[float, float], ...]
    shape: Shape
    kind: str
    thickness: float
    title: str
    label: str = ""
    label_at: tuple[float, float] = (0.0, 0.0)
    anchor: str = "start"
    taken: bool = False
    faded: bool = False


class Text(NamedTuple):
    """A text that is not in a box; with a halo where it stands on lines."""

    x: float
    y: float
    text: str
    size: float
    ink: str = INK
    bold: bool = False
    anchor: str = "start"
    halo: bool = False


class Ground(NamedTuple):
    """The ground of a task."""

    x: float
    y: float
    width: float
    height: float


class Key(NamedTuple):
    """An entry of the legend: a short line of that kind."""

    x: float
    y: float
    kind: str


@dataclass(frozen=True)
class Scene:
    """All that is drawn, in px."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    grounds: tuple[Ground, ...] = ()
    keys: tuple[Key, ...] = ()
    texts: tuple[Text, ...] = ()

    def moved(self, right: float, down: float, first: int = 0) -> Scene:
        """The same elsewhere, its boxes numbered from ``first``."""

        def at(point: tuple[float, float]) -> tuple[float, float]:
            return point[0] + right, point[1] + down

        lines = (
            replace(
                each,
                source=each.source + first,
                target=each.target + first,
                points=tuple(map(at, each.points)),
                label_at=at(each.label_at),
            )
            for each in self.lines
        )
        return replace(
            self,
            boxes=tuple(replace(b, id=b.id + first, x=b.x + right, y=b.y + down) for b in self.boxes),
            lines=tuple(lines),
            grounds=tuple(each._replace(x=each.x + right, y=each.y + down) for each in self.grounds),
            texts=tuple(each._replace(x=each.x + right, y=each.y + down) for each in self.texts),
        )


class Badge(NamedTuple):
    """A small plate on the corner of a box: the numbers of the session's entries there."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    text: Text


def labels(scene: Scene) -> list[Text]:
    """What stands on the lines: where two would overlap, that of the thicker line; all are in the table."""
    found: list[Text] = []
    spots: list[tuple[float, float, float, float]] = [_around(box) for box in scene.boxes if box.look != "group"]
    for line in sorted(scene.lines, key=lambda line: (not line.taken, -line.thickness)):
        ink = PALE if line.faded else KINDS[line.kind][0]
        text = Text(*line.label_at, line.label, SMALL, ink, anchor=line.anchor, halo=True)
        spot = _spot(text)
        if line.label and not any(_meet(spot, other) for other in spots):
            found.append(text)
            spots.append(spot)
    return found


def _around(box: Box) -> tuple[float, float, float, float]:
    return box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2


def _spot(text: Text) -> tuple[float, float, float, float]:
    wide = text_width(text.text, text.size)
    left = text.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return left, text.y - text.size * 0.8, left + wide, text.y + 2


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def inside(box: Box) -> list[Text]:
    """The lines in a box."""
    first = box.y - (len(box.lines) - 1) * ROW / 2 + 4.5
    ink = LOOKS[box.look].ink
    return [Text(box.x, first + ROW * at, line, FONT, ink, anchor="middle") for at, line in enumerate(box.lines)]


def badge_width(order: str) -> float:
    """How wide the plate with these numbers is."""
    return max(20.0, 11.0 + 6.5 * len(order))


def badges(scene: Scene) -> list[Badge]:
    """The numbers of a session's entries, on the upper left corners."""
    found = []
    for box in (each for each in scene.boxes if each.order):
        x, y, width = box.x - box.width / 2 - 9, box.y - box.height / 2 - 9, badge_width(box.order)
        text = Text(x + width / 2, y + 14.2, box.order, SMALL, CARD, bold=True, anchor="middle")
        found.append(Badge(x, y, width, 20, LOOKS[box.look].border, text))
    return found


def legend(kinds: Sequence[str], y: float) -> tuple[list[Key], list[Text]]:
    """What each kind of line means, side by side."""
    keys, texts, x = [], [], MARGIN
    for kind in kinds:
        keys.append(Key(x, y, kind))
        texts.append(Text(x + 44, y + 4, KIND_WORDS[kind], SMALL, SOFT))
        x += 44 + text_width(KIND_WORDS[kind], SMALL) + 22
    return keys, texts
