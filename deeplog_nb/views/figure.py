"""A drawn workflow as something to show: static picture and table first, the live graph over the picture.

Where scripts may not run (an untrusted notebook, a mail, a printout) the frame is stripped or stays transparent, and
the picture is seen. It is in the HTML alone: a PNG beside it would weigh a quarter more, for hosts without HTML only.
What is drawn, and what is said, is decided in ``graph``.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from deeplog_nb.disk import write_whole
from deeplog_nb.frames import InputError
from deeplog_nb.views.axes import counted
from deeplog_nb.views.page import Html, join, table, tag
from deeplog_nb.views.scene import Scene
from deeplog_nb.views.text import visible

LEGIBLE: Final = 0.8  # of its size: on a narrower page it is scrolled
ROWS: Final = 500  # of the table of edges
LINES: Final = 80  # of plain text
HEADS: Final = ("Task", "From", "To", "Kind", "Times", "Share", "Median", "99 %", "Entries")


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """A workflow drawn: the picture, the table of its edges, the live graph, and the finding in one sentence."""

    scene: Scene
    frame: pl.DataFrame
    sentence: str
    rows: tuple[tuple[str, ...], ...]  # of the table, as texts
    hidden: tuple[str, ...]
    drawn: int  # edges in the picture

    @property
    def alt(self) -> str:
        """What a reader who cannot see the picture is told."""
        return f"Diagram of a workflow. {self.sentence} The table below lists its edges."

    def data(self) -> pl.DataFrame:
        """EDGES, whole where the drawing leaves some out, with the numbers of the session's entries as ``taken``."""
        return self.frame

    @cached_property
    def picture(self) -> bytes:
        """The static picture as PNG, drawn once."""
        from deeplog_nb.views.svg import png

        return png(self.scene)

    def png(self) -> bytes:
        """The static picture as PNG, at twice its size on the page unless it is very large."""
        return self.picture

    def live(self) -> str:
        """The page of the live graph, for a sandboxed frame: no request, no script but ours."""
        from deeplog_nb.views.network import live_page

        return live_page(self.scene)

    def html(self) -> str:
        """Figure and table, and the live graph in a sandboxed frame over the figure."""
        return str(join([_figure(self), _table(self)]))

    def save(self, path: Path | str) -> Path:
        """Write it as .html or .htm that opens without network, as .svg or as .png; returns where it is.

        Raises InputError for any other ending.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in WRITERS:
            raise InputError(f"a graph is saved as {', '.join(WRITERS)}; ‘{Path(path).name}’ has another ending")
        write_whole(Path(path), WRITERS[suffix](self))
        return Path(path)

    def text(self) -> str:
        """The finding, then an edge a line; a text for terminals and screen readers."""
        told = [f"{r[0]}: {r[1]} → {r[2]} ({', '.join(filter(None, (r[3], r[5], r[6])))})" for r in self.rows[:LINES]]
        more = [f"… {len(self.rows) - LINES:,} more edges: .data()"] if len(self.rows) > LINES else []
        return "\n".join([visible(self.sentence), *self.hidden, *told, *more])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": self.text()}

    def __repr__(self) -> str:
        return self.text()


def _page(graph: Graph) -> bytes:
    from deeplog_nb.views.network import file_page

    finding = tag("p", visible(graph.sentence), class_="finding")  # for a page so narrow that it cuts the picture off
    return file_page(graph.sentence, str(join([finding, Html(graph.html())]))).encode()


def _svg(graph: Graph) -> bytes:
    from deeplog_nb.views.svg import svg

    return svg(graph.scene).encode()


WRITERS: Final[dict[str, Callable[[Graph], bytes]]] = {".html": _page, ".htm": _page, ".svg": _svg, ".png": Graph.png}


def _figure(graph: Graph) -> Html:
    """The picture, and over it a frame that is transparent until the live graph is drawn."""
    from deeplog_nb.views.svg import address

    width, height = f"{graph.scene.width:.0f}", f"{graph.scene.height:.0f}"
    style = "display:block;width:100%;height:auto"
    image = tag("img", src=address(graph.scene), alt=graph.alt, width=width, style=style)
    quoted = html.escape(graph.live(), quote=False).replace('"', "&quot;").replace("&gt;", ">")  # as short as may be
    frame = Html(
        '<iframe sandbox="allow-scripts" title="The same workflow, live" style="position:absolute;inset:0;width:100%;'
        f'height:100%;border:0;color-scheme:light" srcdoc="{quoted}"></iframe>'
    )
    size = f"min-width:{graph.scene.width * LEGIBLE:.0f}px;max-width:{width}px;aspect-ratio:{width}/{height}"
    style = f"position:relative;{size};border-radius:10px;overflow:hidden"
    holder = tag("div", image, frame, style=style)
    scrolled = tag("div", holder, style="overflow-x:auto", tabindex=0, role="region", aria_label="Workflow")
    return tag("figure", scrolled, style="margin:0 0 1em")


def _table(graph: Graph) -> Html:
    shown = graph.rows[:ROWS]
    more = f", the first {ROWS} of {len(graph.rows):,}; all: .data()" if len(graph.rows) > ROWS else ""
    told = [tag("p", "; ".join(graph.hidden))] if graph.hidden else []
    heads = HEADS[: len(shown[0])] if shown else HEADS
    listed = table(heads, shown, numeric=("Times", "Share", "Median", "99 %"))
    drawn = " drawn" if graph.drawn == len(graph.rows) else f", {graph.drawn:,} of them drawn,"
    return tag("details", tag("summary", f"The {counted(len(shown), 'edge')}{drawn} as a table{more}"), *told, listed)
