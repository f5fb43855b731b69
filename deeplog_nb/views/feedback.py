"""What answers are worth, as a picture: false alarms and misses over labelled patterns."""

from __future__ import annotations

from typing import Final

import altair as alt
import polars as pl

from deeplog_nb.frames import FrameError, check
from deeplog_nb.views.axes import counted
from deeplog_nb.views.display import Picture
from deeplog_nb.views.theme import BLUE, HEIGHT, VERMILION, WIDTH, dress

NEEDED: Final = {"labels": pl.UInt32(), "fp": pl.UInt64(), "fn": pl.UInt64()}
FALSE, MISSED = WHAT = ["false alarms", "missed anomalies"]


def feedback_curve(curve: pl.DataFrame) -> Picture:
    """False alarms and missed anomalies after so many labelled patterns, of the CURVE that ``feedback`` gives.

    >>> rows = {"labels": [0, 1, 2], "fp": [40, 40, 18], "fn": [1, 1, 2]}
    >>> feedback_curve(pl.DataFrame(rows, schema=NEEDED))
    2 labels: 40 → 18 false alarms, 1 → 2 missed anomalies
    """
    rows = check(curve, NEEDED, "curve").unique("labels", keep="first", maintain_order=True)
    if rows.is_empty():
        raise FrameError("curve: it has no row; pass the curve that feedback() gave")
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    asked = counted(last["labels"], "label")
    title = f"{asked}: {first['fp']:,} → {last['fp']:,} {FALSE}, {first['fn']:,} → {last['fn']:,} {MISSED}"
    long = rows.select("labels", **{FALSE: "fp", MISSED: "fn"}).unpivot(index="labels", variable_name="what")
    tips = [alt.Tooltip("labels:Q", title="labels"), alt.Tooltip("what:N"), alt.Tooltip("value:Q", format=",")]
    base = alt.Chart(long).encode(
        x=alt.X("labels:Q", title="patterns that a person answered, the most frequent first"),
        y=alt.Y("value:Q", title="sessions"),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=WHAT, range=[VERMILION, BLUE])),
        strokeDash=alt.StrokeDash("what:N", title=None, scale=alt.Scale(domain=WHAT, range=[[1, 0], [6, 4]])),
        tooltip=tips,
    )
    chart = alt.layer(base.mark_line(interpolate="step-after", strokeWidth=2.5)).properties(width=WIDTH, height=HEIGHT)
    described = f"Step lines of false alarms and missed anomalies over labels. {title}."
    subtitle = "each answer allows or confirms one pattern; nothing else changes its verdict"
    return Picture(dress(chart, title=title, subtitle=subtitle, description=described), curve, title)
