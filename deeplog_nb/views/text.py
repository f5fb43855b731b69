"""Text from a log made safe to show: what cannot be seen, or would steer the reader, becomes visible.

It knows nothing of HTML beyond ``escape``, and never changes the text that is stored or modelled.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

import polars as pl

UNSEEN: Final = (
    (0x00, 0x1F),  # C0: NUL, tab, newline, ESC of terminal colours and titles
    (0x7F, 0x9F),  # DEL and C1, whose 0x9B also opens a terminal sequence
    (0xAD, 0xAD),  # soft hyphen
    (0x600, 0x605),  # Arabic number signs, drawn over what follows
    (0x61C, 0x61C),  # Arabic letter mark: bidi
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x180E, 0x180E),
    (0x200B, 0x200F),  # zero width, left-to-right and right-to-left marks
    (0x2028, 0x202E),  # line and paragraph separator, bidi embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates
    (0xD800, 0xDFFF),  # lone surrogates, which no UTF-8 stream accepts
    (0xFDD0, 0xFDEF),  # no characters, as are the last two of each plane
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0001, 0xE0001),
    (0xE0020, 0xE007F),  # tags: a hidden copy of ASCII
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)),  # the PNG maker dies of U+FFFE
)
"""First and last code point of each run of Unicode's controls, formats, separators, surrogates and non-characters."""


_TAG: Final = re.compile(r"^(?:\[[^\]]*<\*>[^\]]*\]\s*|<\*>[\s:]+)+(?=\S)")  # says which machine, not what happened


def visible(text: str, limit: int | None = None) -> str:
    r"""One line of the text as it is, with every invisible or steering character as its escape.

    A backslash stays as it is, so ``\x1b`` typed in a log and a real escape look alike. ``limit``
    keeps that many characters of the text and says how long it was.

    >>> print(visible("\x1b[31mred\u202e\n"))
    \x1b[31mred\u202e\n
    >>> visible("blk_" * 1000, limit=8)
    'blk_blk_… (4,000 characters)'
    """
    if limit is None or len(text) <= limit:
        return text.translate(_ESCAPES)
    return f"{text[:limit].translate(_ESCAPES)}… ({len(text):,} characters)"


def escape(text: str, limit: int | None = None) -> str:
    r"""The visible text, fit for HTML content and for a quoted attribute.

    >>> print(escape("<img onerror='x'>\x00"))
    &lt;img onerror=&#x27;x&#x27;&gt;\x00
    """
    return html.escape(visible(text, limit), quote=True)


def gist(template: str, limit: int) -> str:
    """A template as people name it: its values as …, without the tag in front that says which machine or task.

    >>> gist("[instance: <*>] Took <*> seconds to build instance.", 140)
    'Took … seconds to build instance.'
    """
    plain = _TAG.sub("", template[: 8 * limit]).replace("<*>", "…").strip()
    return f"{plain[:limit]}{'…' if len(plain) > limit else ''}"


def visible_expr(column: str) -> pl.Expr:
    r"""The column with each of its texts made visible: ``visible`` without a limit, for frames.

    >>> print(pl.DataFrame({"message": ["a\x00b"]}).select(visible_expr("message")).item())
    a\x00b
    """
    return pl.col(column).str.replace_many(_ESCAPED_TEXTS)


def _escape(code: int) -> str:
    named = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    width, letter = (2, "x") if code < 0x100 else (4, "u") if code < 0x10000 else (8, "U")
    return named.get(code, f"\\{letter}{code:0{width}x}")


def _codes() -> Iterator[int]:
    return (code for first, last in UNSEEN for code in range(first, last + 1))


_ESCAPES: Final = {code: _escape(code) for code in _codes()}
_ESCAPED_TEXTS: Final = {chr(c): e for c, e in _ESCAPES.items() if not 0xD800 <= c <= 0xDFFF}
