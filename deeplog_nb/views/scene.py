"""A workflow as shapes and texts with their places: what the static picture and the live one both draw.

Every text is made visible and short here, once. It knows neither SVG nor pyvis.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from deeplog_nb.views.text import visible
from deeplog_nb.views.theme import BLUE, CARD, INK, OKABE_ITO, SOFT, VERMILION

WIDTH: Final = 880.0  # px of the picture, where nothing needs more
MARGIN: Final = 18.0
FONT: Final = 13.0  # px in a box
SMALL: Final = 11.5  # px of a label
LIMIT: Final = 200  # characters of any text from the log

KINDS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "next": (SOFT, ()),
    "branch": (BLUE, (9, 5)),
    "parallel": (OKABE_ITO[4], (14, 4, 2, 4)),
    "loop": (OKABE_ITO[2], (2, 4)),
    "off": (VERMILION, (5, 4)),
}
"""Colour and dash of each kind of edge; ``off`` leads out of the workflow."""

KIND_WORDS: Final = {
    "next": "always next",
    "branch": "one of several",
    "parallel": "in any order",
    "loop": "back, again",
    "off": "left the workflow",
}


class Look(NamedTuple):
    """How a box is drawn."""

    fill: str
    border: str
    thickness: float
    ink: str = INK
    dash: tuple[float, ...] = ()


LOOKS: Final = {
    "step": Look("#F5F7FA", "#9AA5B1", 1.0),
    "end": Look(CARD, "#9AA5B1", 1.0, SOFT),
    "taken": Look("#E6F1F8", BLUE, 2.5),
    "last": Look("#FDF1EA", VERMILION, 3.0),
    "expected": Look(CARD, BLUE, 2.0, INK, (4, 3)),
    "came": Look("#FDF1EA", VERMILION, 2.0, INK, (5, 4)),
}


@dataclass(frozen=True)
class Box:
    """A step, the begin or end of a task, or what came instead."""

    id: int
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    title: str
    look: str
    order: str = ""  # the numbers of the session's entries here


@dataclass(frozen=True)
class Line:
    """An edge: the points it passes, from the centre of a box to the centre of another."""

    source: int
    target: int
    points: tuple[tuple[float, float], ...]
    kind: str
    thickness: float
    title: str
    label: str = ""
    label_at: tuple[float, float] = (0.0, 0.0)
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


class Band(NamedTuple):
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
    bands: tuple[Band, ...] = ()
    keys: tuple[Key, ...] = ()
    texts: tuple[Text, ...] = field(default=())


def text_width(text: str, size: float = FONT) -> float:
    """About how wide the text is in the font of the theme, rather too much than too little."""
    return sum(map(_wide, text)) * size


def _wide(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.02
    if sign in "ijl.,:;'|!()[]{} tfrI/\\-*\"`":
        return 0.36
    return 0.9 if sign in "mwMW@%—…" else 0.72 if sign.isupper() or sign in "<>=+~#&" else 0.57


def wrap(text: str, width: float, most: int, size: float = FONT) -> tuple[str, ...]:
    """The text in at most so many lines of that width, an ellipsis where it is cut.

    >>> wrap("Took <*> seconds to build instance.", 130, 2)
    ('Took <*> seconds', 'to build instance.')
    """
    lines, rest = [], text.strip()
    while rest and len(lines) < most:
        line = _fitting(rest, width, size)
        if len(line) < len(rest) and len(lines) == most - 1:
            return (*lines, _fitting(rest, width - text_width("…", size), size).rstrip() + "…")
        if len(line) < len(rest) and " " in line[len(line) // 2 :] and rest[len(line)] != " ":
            line = line[: line.rindex(" ")]
        lines.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    return tuple(lines)


def _fitting(text: str, width: float, size: float) -> str:
    used = 0.0
    for at, sign in enumerate(text):
        used += _wide(sign) * size
        if used > width:
            return text[: max(at, 1)]
    return text


def short(text: str) -> str:
    """A text from the log as it is shown: visible, and never longer than the limit."""
    return visible(text[:LIMIT]) + ("…" if len(text) > LIMIT else "")


def legend(kinds: Sequence[str], y: float) -> tuple[list[Key], list[Text]]:
    """What each kind of line means, side by side."""
    keys, texts, x = [], [], MARGIN
    for kind in kinds:
        keys.append(Key(x, y, kind))
        texts.append(Text(x + 44, y + 4, KIND_WORDS[kind], SMALL, SOFT))
        x += 44 + text_width(KIND_WORDS[kind], SMALL) + 22
    return keys, texts


