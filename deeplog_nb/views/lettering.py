"""Texts made to fit: how wide they are, where their lines break, and how much of one from the log is shown.

It measures without a font at hand, by kinds of signs, rather too wide than too narrow.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from deeplog_nb.views.text import visible

FONT: Final = 13.0  # px in a box
LIMIT: Final = 200  # characters of any text from the log
BREAKS: Final = " .,:;/_-"  # after which a line in a box may end


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
    """The text in at most so many lines of that width, about as long as each other; an ellipsis where it is cut.

    >>> wrap("Took <*> seconds to build instance.", 200, 2)
    ('Took <*> seconds', 'to build instance.')
    """
    lines = _wrapped(text, width, most, size)
    for share in (0.55, 0.65, 0.75, 0.85):
        even = _wrapped(text, width * share, most, size)
        if len(lines) > 1 and len(even) == len(lines) and not even[-1].endswith("…"):
            return even
    return lines


def _wrapped(text: str, width: float, most: int, size: float) -> tuple[str, ...]:
    lines: list[str] = []
    rest = text.strip()
    while rest and len(lines) < most:
        line = _fitting(rest, width, size)
        if len(line) < len(rest) and len(lines) == most - 1:
            return (*lines, _fitting(rest, width - text_width("…", size), size).rstrip() + "…")
        stops = [at for at, sign in enumerate(line[:-1]) if sign in BREAKS and at >= len(line) // 3]
        if len(line) < len(rest) and stops and rest[len(line)] != " ":
            line = line[: stops[-1] + 1]
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
