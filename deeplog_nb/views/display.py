"""The one display contract: a chart that reads the same live, kernel-less, untrusted and as plain text.

A picture shows itself as three safe types and never as HTML or SVG, which a notebook opened from
elsewhere strips and a live one may execute. What is drawn is decided in ``charts``.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from deeplog_nb.views.text import visible

if TYPE_CHECKING:
    import altair as alt

VEGA_TYPE: Final = "application/vnd.vegalite.v5+json"  # JupyterLab knows v3 to v5; altair 6 writes v6
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"  # a name; nothing is fetched
COMPILER: Final = "5.21"  # the Vega-Lite of vl-convert that stands for the type above
SCALE: Final = 2  # pixels of the PNG for each pixel on the page: sharp at 200 % zoom
EMBED: Final = {"renderer": "svg", "actions": {"export": True, "source": True, "compiled": False, "editor": False}}
"""Text that stays sharp; and no menu item that would send the data to an editor on the web."""

LITERAL: Final = {"datasets", "title", "description"}
"""Parts of a specification whose texts are drawn as they are; all others may end in an expression."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A chart, the frame behind it, and the finding in one sentence.

    >>> import altair as alt
    >>> shares = pl.DataFrame({"rank": [1, 2], "share": [0.5, 1.0]})
    >>> line = alt.Chart(shares, description="a rising line").mark_line().encode(x="rank:Q", y="share:Q")
    >>> Picture(line, shares, "half of the next keys are ranked first")
    half of the next keys are ranked first
    """

    chart: alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart
    frame: pl.DataFrame
    sentence: str

    @property
    def alt(self) -> str:
        """What a reader who cannot see the picture is told: the chart's description."""
        return str(self.chart.description)

    def data(self) -> pl.DataFrame:
        """The frame behind the picture, whole where the drawing is thinned."""
        return self.frame

    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification, the same whatever theme or renderer altair is set to.

        Its texts are visible ones: a NUL or an ESC in a drawn text makes vl-convert 1.9 abort the
        whole process, and with it the kernel. Vega-Lite puts the titles of axes, legends and tooltips
        into expressions without escaping a backslash, so there it is drawn as a look-alike.
        """
        import altair as alt

        with alt.theme.enable("none"), alt.data_transformers.enable("default"):
            spec: dict[str, Any] = self.chart.to_dict()
        safe = {part: _each_text(value, visible if part in LITERAL else _inert) for part, value in spec.items()}
        return safe | {"$schema": SCHEMA, "usermeta": {"embedOptions": EMBED}}

    def png(self) -> bytes:
        """The picture as PNG at twice its size on the page, made without network."""
        import vl_convert

        png = vl_convert.vegalite_to_png(self.spec(), vl_version=COMPILER, scale=SCALE, allowed_base_urls=[])
        return squeeze(png)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        png = self.png()
        width, height = (side // SCALE for side in struct.unpack(">II", png[16:24]))
        bundle = {
            VEGA_TYPE: self.spec(),
            "image/png": base64.b64encode(png).decode("ascii"),
            "text/plain": visible(self.sentence),
        }
        return bundle, {"image/png": {"width": width, "height": height, "alt": visible(self.alt)}}

    def __repr__(self) -> str:
        return visible(self.sentence)


def _each_text(part: Any, shown: Callable[[str], str]) -> Any:
    if isinstance(part, dict):
        return {shown(key): _each_text(value, shown) for key, value in part.items()}
    if isinstance(part, list):
        return [_each_text(value, shown) for value in part]
    return shown(part) if isinstance(part, str) else part


def _inert(text: str) -> str:
    return visible(text).replace("\\", "\N{SET MINUS}")


def squeeze(png: bytes) -> bytes:
    """The same PNG, chunk for chunk and pixel for pixel, with its image data deflated at level 9."""
    parts = list(chunks(png))
    image = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    at = [kind for kind, _ in parts].index(b"IDAT")
    rest = [(kind, body) for kind, body in parts if kind != b"IDAT"]
    rest.insert(at, (b"IDAT", zlib.compress(image, 9)))
    return _SIGNATURE + b"".join(chunk(kind, body) for kind, body in rest)


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG: kind and body."""
    at = len(_SIGNATURE)
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        yield kind, png[at + 8 : at + 8 + size]
        at += size + 12


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG as it stands in the file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
