"""HTML that is safe by construction: whatever is not markup of ours is escaped on its way in.

A page is one file without a script: its policy forbids scripts, requests and any style but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from deeplog_nb.views.text import escape

LIMIT: Final = 2_000  # characters of any one text
_VOID: Final = ("img", "link", "meta")


class Html(str):
    """A text that is markup already, made by this module."""

    __slots__ = ()


def clip(text: object, limit: int = LIMIT) -> Html:
    r"""The text escaped for content or attribute, its first ``limit`` characters.

    >>> clip("<b>\x1b[31m", 3)
    '&lt;b&gt;… (8 characters)'
    """
    return text if isinstance(text, Html) else Html(escape(str(text), limit))


def join(parts: Iterable[object], between: str = "") -> Html:
    """The parts one after the other, each escaped unless it is markup."""
    return Html(clip(between).join(clip(part) for part in parts))


def tag(name: str, /, *inside: object, **attributes: object) -> Html:
    """An element. Attributes that are None or False are left out; ``class_`` is class, ``a_b`` is a-b.

    >>> tag("p", "1 < 2", tag("b", "so"), class_="x", title='"')
    '<p class="x" title="&quot;">1 &lt; 2<b>so</b></p>'
    """
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    given = (
        f" {key}" if value is True else f' {key}="{clip(value)}"'
        for key, value in named.items()
        if value is not None and value is not False
    )
    opening = f"<{name}{''.join(given)}>"
    return Html(opening if name in _VOID else f"{opening}{join(inside)}</{name}>")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[str] = ()) -> Html:
    """A table that scrolls by itself where the page is too narrow for it; ``numeric`` columns to the right."""
    sides = ["n" if head in numeric else None for head in heads]
    head = tag("tr", *(tag("th", text, scope="col", class_=side) for text, side in zip(heads, sides, strict=True)))
    body = (tag("tr", *(tag("td", cell, class_=s) for cell, s in zip(row, sides, strict=True))) for row in rows)
    whole = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=", ".join(heads))


def facts(pairs: Iterable[tuple[object, object]]) -> Html:
    """Names with what there is to say of each."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", said)) for name, said in pairs), class_="facts")


def bar(share: float) -> Html:
    """A thin bar, so long; a picture for the eye beside the number that says it."""
    filled = tag("rect", width=f"{100 * share:.1f}", height=6, class_="filled")
    return tag("svg", tag("rect", width=100, height=6, class_="empty"), filled, viewBox="0 0 100 6", aria_hidden="true")


def columns(counts: Sequence[int], told: str) -> Html:
    """A strip of columns, a count each, told in words for who cannot see it."""
    tallest, width = max([*counts, 1]), 10
    drawn = (
        tag(
            "rect",
            x=at * width + 1,
            y=f"{44 - 40 * n / tallest:.1f}",
            width=width - 2,
            height=f"{40 * n / tallest:.1f}",
        )
        for at, n in enumerate(counts)
        if n
    )
    ground = tag("rect", x=0, y=44, width=len(counts) * width, height=1, class_="ground")
    box = f"0 0 {len(counts) * width} 46"
    return tag(
        "svg", *drawn, ground, viewBox=box, preserveAspectRatio="none", class_="strip", role="img", aria_label=told
    )


def picture(png: bytes, told: str, caption: str) -> Html:
    """A PNG within the page, with words for who cannot see it."""
    source = Html(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}")
    return tag("figure", tag("img", src=source, alt=told), tag("figcaption", caption))


def document(title: str, style: str, body: Html) -> str:
    """The whole page. ``style`` is our own sheet; no other, and no script, may take effect."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = (
        tag("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{join(head)}</head>\n<body>\n{body}\n</body>\n</html>\n'
