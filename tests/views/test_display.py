from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import polars as pl
import pytest
import vl_convert

from deeplog_nb.views.charts import rank_cdf
from deeplog_nb.views.display import COMPILER, VEGA_TYPE, Picture, squeeze

HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\u202e"


def picture(text: str = "a finding") -> Picture:
    frame = pl.DataFrame({"rank": [1, 2], "share": [0.5, 1.0], "label": [text, text]})
    chart = alt.Chart(frame, title=text, description=text).mark_point().encode(x="rank:Q", y="share:Q", text="label:N")
    return Picture(chart, frame, text)


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        body, check = png[at + 8 : at + 8 + size], png[at + 8 + size : at + 12 + size]
        assert check == struct.pack(">I", zlib.crc32(kind + body))
        found.append((kind, body))
        at += 12 + size
    return found


def test_a_picture_shows_itself_in_three_safe_types() -> None:
    """A v5 spec, a PNG and a sentence; no HTML and no SVG, which untrusted notebooks lose."""
    bundle, _ = picture()._repr_mimebundle_()
    assert list(bundle) == ["application/vnd.vegalite.v5+json", "image/png", "text/plain"]
    assert bundle[VEGA_TYPE]["$schema"].endswith("/v5.json")
    assert bundle["text/plain"] == "a finding"


def test_the_png_is_shown_at_half_its_pixels() -> None:
    """Twice the pixels for sharpness, but the size on the page that the live chart has."""
    bundle, metadata = picture()._repr_mimebundle_()
    pixels = struct.unpack(">II", b64decode(bundle["image/png"])[16:24])
    assert pixels == (2 * metadata["image/png"]["width"], 2 * metadata["image/png"]["height"])


def test_the_squeezed_png_is_smaller_and_loses_nothing() -> None:
    """Every chunk but the image data is kept as it was, and the image data inflates to the same pixels."""
    png = vl_convert.vegalite_to_png(picture().spec(), vl_version=COMPILER, scale=2, allowed_base_urls=[])
    before, after = chunks(png), chunks(squeeze(png))
    assert len(squeeze(png)) < len(png)
    assert [chunk for chunk in after if chunk[0] != b"IDAT"] == [chunk for chunk in before if chunk[0] != b"IDAT"]
    image = [b"".join(body for kind, body in some if kind == b"IDAT") for some in (before, after)]
    assert zlib.decompress(image[0]) == zlib.decompress(image[1])


def test_a_png_in_several_pieces_is_put_together() -> None:
    """Image data that comes in many chunks, with others around it, is one chunk in the same place."""
    data = zlib.compress(b"\x00\xff" * 50, 1)
    parts = [(b"IHDR", b"head"), (b"tEXt", b"kept"), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts
    )
    assert [kind for kind, _ in chunks(squeeze(png))] == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
    assert zlib.decompress(dict(chunks(squeeze(png)))[b"IDAT"]) == b"\x00\xff" * 50


def test_the_same_data_gives_the_same_bytes() -> None:
    """Two pictures of one frame, made apart, are one bundle: a notebook run again shows no diff."""
    first, second = (json.dumps(picture()._repr_mimebundle_()) for _ in range(2))
    assert first == second


def test_a_users_altair_theme_does_not_reach_our_pictures() -> None:
    """What a picture looks like is ours, whatever altair is set to, and altair is left as it was."""
    plain = picture().spec()
    with alt.theme.enable("dark"):
        assert picture().spec() == plain
        assert alt.theme.active == "dark"


def test_hostile_text_stays_data() -> None:
    """Markup in title, data and sentence is a value in JSON, never code; escapes in plain text are visible."""
    bundle, metadata = picture(HOSTILE)._repr_mimebundle_()
    spec = bundle[VEGA_TYPE]
    shown = "</script><img src=x onerror=alert(1)>\\x1b[31m\\u202e"
    assert spec["title"] == shown
    assert [row["label"] for row in next(iter(spec["datasets"].values()))] == [shown] * 2
    assert "onerror" not in json.dumps([spec["encoding"], spec["mark"], spec.get("config")])
    assert "\x1b" not in bundle["text/plain"] + metadata["image/png"]["alt"] + repr(picture(HOSTILE))


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\x0b", "\ufffe", "\uffff", "\ud800", r"\u0000", r"\"+x+\""])
def test_no_text_can_kill_the_kernel(text: str) -> None:
    """Characters that make the PNG maker abort, even as escapes that an expression would undo, are only drawn."""
    frame = pl.DataFrame({"rank": [1]})
    chart = alt.Chart(frame, title=text, description=text).mark_point().encode(alt.X("rank:Q", title=text))
    assert Picture(chart, frame, text)._repr_mimebundle_()


def test_a_picture_is_a_valid_notebook_output() -> None:
    """The bundle passes the notebook format's own check, so that nbclient can store it."""
    data, metadata = picture(HOSTILE)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("", outputs=[output], id="a")
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_a_picture_stays_under_the_budget_of_one_output() -> None:
    """A rank curve takes less than 100 KB of the notebook."""
    many = pl.DataFrame({"session": ["a"] * 28, "position": range(28), "key": [1] * 28, "count": [1] * 28})
    rest = many.with_columns(open=pl.lit(False), rank=pl.int_range(1, 29), probability=pl.lit(0.1))
    from deeplog_nb.frames import RANKS

    bundle, _ = rank_cdf(rest.cast(dict(RANKS)))._repr_mimebundle_()
    assert len(json.dumps(bundle)) < 100_000


@pytest.mark.parametrize("module", ["deeplog_nb.views", "deeplog_nb.views.display", "deeplog_nb.views.progress"])
def test_importing_views_loads_no_altair(module: str) -> None:
    """The light half stays light: altair, vl-convert and IPython come with the first chart."""
    code = f"import sys, {module}; print([m for m in ('altair', 'vl_convert', 'IPython') if m in sys.modules])"
    root = Path(__file__).parents[2]
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout == "[]\n"
