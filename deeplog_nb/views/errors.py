"""Forecast errors as series: how far each entry was off beside what its bound allows, and the values themselves.

Frames in, pictures out. Which entry is an anomaly is what its tail says; a chart computes no bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import ERRORS, FrameError, InputError, check
from deeplog_nb.models.flags import beyond
from deeplog_nb.views.axes import counted
from deeplog_nb.views.display import Picture
from deeplog_nb.views.text import visible
from deeplog_nb.views.theme import BLUE, SOFT, VERMILION, WIDTH, dress

POINTS: Final = 2_000  # drawn at most, besides the flagged ones
PANELS: Final = 4
PANEL: Final = 120  # px, its height
DASHES: Final = ([1, 0], [6, 3], [2, 3])  # of the lines, the highest confidence first
TIPS: Final = [
    alt.Tooltip("session:N", title="session"),
    alt.Tooltip("worst:N", title="position"),
    alt.Tooltip("seen:Q", title="came", format=",.4~r"),
    alt.Tooltip("expected:Q", title="expected", format=",.4~r"),
]


def error_series(
    errors: pl.DataFrame | Mapping[float, pl.DataFrame],
    *,
    keys: Sequence[int] | None = None,
    templates: Templates | None = None,
    confidence: float = 0.999,
) -> Picture:
    """Each entry's squared forecast error, a panel a key, with its bound and the entries above it (paper, Figure 9).

    ``errors`` are ERRORS made with this ``confidence``, or several by confidence, which then draw a line each; the
    highest decides. ``keys`` are those to draw (default: the four that exceed their bound the most). Where the bound
    differs from entry to entry, errors are drawn as multiples of it. The axis is a square root's.

    >>> told = {"session": ["a", "b", "c"], "key": [7] * 3, "error": [0.2, 0.1, 44.0], "bound": [9.0] * 3}
    >>> blank = {name: [None] * 3 for name in ERRORS}
    >>> error_series(pl.DataFrame(blank | told | {"tail": [0.8, 0.9, 1e-9]}, schema=ERRORS))
    1 of 3 values is over its 99.9 % bound · key 7
    """
    by_confidence = dict(errors) if isinstance(errors, Mapping) else {confidence: errors}
    if not by_confidence:
        raise InputError("there are no errors to draw; give ERRORS, or a mapping of a confidence to ERRORS")
    highest = max(by_confidence)
    points = _points(by_confidence, highest)
    drawn = points.filter(pl.col("key").is_in(_worst_keys(points) if keys is None else list(keys)))
    chosen = drawn["key"].unique().sort().to_list()
    if drawn.is_empty():
        raise FrameError("errors: no judged entry of these keys; ask for keys that values.errors() judged")
    falling = sorted(by_confidence, reverse=True)
    panels = [_panel(each, falling, templates, len(chosen)) for each in drawn.sort("key").partition_by("key")]
    flagged = int(drawn["flagged"].sum())
    over = "is over its" if flagged == 1 else "are over their"
    title = f"{flagged:,} of {counted(len(drawn), 'value')} {over} {_percent(highest)} bound"
    more = f" · dashed: {', '.join(map(_percent, falling[1:]))}" if falling[1:] else ""
    base = ", ".join(f"key {key}" for key in chosen) + more + _thinned_words(drawn)
    told = f"Series of forecast errors of {base}. {title}."
    chart = alt.vconcat(*panels, spacing=20)
    return Picture(dress(chart, title=title, subtitle=base, description=told), drawn, f"{title} · {base}")


def value_series(
    errors: pl.DataFrame, key: int, *, position: str | None = None, templates: Templates | None = None
) -> Picture:
    """One position's values in the log's own units, with the forecast and the band that the bound leaves around it.

    Only entries whose worst position it was: of the others the frame does not tell the value. ``position`` is
    "elapsed" or a parameter's name (default: the one that exceeds its bound the most).
    """
    mine = check(errors, ERRORS, "errors").filter(pl.col("key") == key, pl.col("reach").is_not_null())
    if mine.is_empty():
        raise FrameError(f"errors: key {key} has no value with a band; is it judged, and each position by itself?")
    worst = mine.sort(pl.col("error") / pl.col("bound"), descending=True)["worst"][0]
    name = worst if position is None else position
    told = _numbered(mine.filter(pl.col("worst") == name)).with_columns(
        low=pl.col("expected") - pl.col("reach"),
        high=pl.col("expected") + pl.col("reach"),
        flagged=pl.col("error") > pl.col("bound"),
    )
    if told.is_empty():
        raise InputError(f"key {key} has no position {name!r}; it has {', '.join(sorted(set(mine['worst'])))}")
    flagged, unit = int(told["flagged"].sum()), told["unit"].drop_nulls().first()
    title = f"{flagged:,} of {counted(len(told), 'value')} outside the band"
    base = f"{name} of {_name(key, templates)}, where it surprised most{_thinned_words(told)}"
    drawn = alt.Chart(
        _thinned(told, 1).select("number", "low", "high", "expected", "seen", "flagged", "session", "worst")
    )
    x, y = _x(len(told)), f"{name} ({unit})" if isinstance(unit, str) else str(name)
    layers = (
        drawn.mark_area(color=BLUE, opacity=0.15).encode(x=x, y=alt.Y("low:Q", title=y), y2="high:Q"),
        drawn.mark_line(color=BLUE, strokeWidth=1).encode(x=x, y="expected:Q"),
        *_dots(drawn, x, "seen:Q"),
    )
    chart = alt.layer(*layers).properties(width=WIDTH, height=2 * PANEL)
    described = f"Series of values with the forecast and its band. {title}: {base}."
    return Picture(dress(chart, title=title, subtitle=base, description=described), told, f"{title} · {base}")


def _points(by_confidence: Mapping[float, pl.DataFrame], highest: float) -> pl.DataFrame:
    """The judged entries with every confidence's bound, in the order of the log, numbered within each key."""
    points = check(by_confidence[highest], ERRORS, "errors")
    if any(len(each) != len(points) for each in by_confidence.values()):
        raise InputError("the ERRORS of several confidences are not of the same sessions; make them of the same ones")
    limits = {_line(c): check(each, ERRORS, "errors")["bound"] for c, each in by_confidence.items()}
    judged = points.with_columns(**limits, flagged=beyond(pl.col("tail"), highest))
    return _numbered(judged.filter(pl.col("error").is_not_null()))


def _numbered(points: pl.DataFrame) -> pl.DataFrame:
    by_time = points.sort("time", maintain_order=True) if "time" in points.columns else points
    return by_time.with_columns(number=pl.int_range(1, pl.len() + 1).over("key"))


def _worst_keys(points: pl.DataFrame) -> list[int]:
    over = points.group_by("key", maintain_order=True).agg(
        over=(pl.col("error") / pl.col("bound")).max(), flagged=pl.col("flagged").any()
    )
    few = over.filter("flagged") if over["flagged"].any() else over
    return few.sort("over", descending=True, maintain_order=True)["key"].head(PANELS).sort().to_list()


def _panel(points: pl.DataFrame, confidences: Sequence[float], templates: Templates | None, panels: int) -> Any:
    """One key's errors with a line for each confidence, where they are the same for all of its entries."""
    key = int(points["key"][0])
    names = [_line(confidence) for confidence in confidences]
    told = alt.TitleParams(_name(key, templates), fontSize=12.5, fontWeight="normal", color=SOFT, offset=6)
    if all(points[name].n_unique() == 1 for name in names):
        shown, levels, y = points, [points[name][0] for name in names], "squared error"
    else:
        shown = points.with_columns(error=pl.col("error") / pl.col("bound"))
        levels, y = [1.0], "error / bound"
    drawn = alt.Chart(
        _thinned(shown, panels).select("number", "error", "flagged", "session", "worst", "seen", "expected")
    )
    scale = alt.Scale(type="sqrt", domainMin=0)
    axis = alt.Axis(tickCount=4, format=",.4~g")
    x = _x(len(points))
    layers = [
        drawn.mark_line(color=BLUE, strokeWidth=1).encode(x=x, y=alt.Y("error:Q", title=y, scale=scale, axis=axis))
    ]
    layers += [_level(value, c, dash) for value, c, dash in zip(levels, confidences, DASHES, strict=False)]
    return alt.layer(*layers, *_dots(drawn, x, "error:Q")).properties(width=WIDTH, height=PANEL, title=told)


def _level(value: float, confidence: float, dash: list[int]) -> alt.LayerChart:
    line = alt.Chart(pl.DataFrame({"error": [value], "label": [_percent(confidence)]}))
    rule = line.mark_rule(color=VERMILION, strokeDash=dash, strokeWidth=1.2).encode(y="error:Q", tooltip="label:N")
    beside = line.mark_text(color=VERMILION, align="left", dx=6, opacity=0 if dash != DASHES[0] else 1)
    return alt.LayerChart(layer=[rule, beside.encode(x=alt.value(WIDTH), y="error:Q", text="label:N")])


def _dots(drawn: alt.Chart, x: alt.X, y: str) -> tuple[alt.Chart, alt.Chart]:
    usual = drawn.transform_filter("!datum.flagged").mark_circle(size=10, color=BLUE, opacity=0.7)
    odd = drawn.transform_filter("datum.flagged").mark_point(
        size=70, color=VERMILION, shape="diamond", filled=True, opacity=1
    )
    return usual.encode(x=x, y=y, tooltip=TIPS), odd.encode(x=x, y=y, tooltip=TIPS)


def _x(entries: int) -> alt.X:
    scale = alt.Scale(domain=[1, max(entries, 2)], nice=False, padding=8)
    return alt.X(
        "number:Q",
        title="entries of this key, in the order of the log",
        scale=scale,
        axis=alt.Axis(grid=False, format=",d"),
    )


def _thinned(points: pl.DataFrame, panels: int) -> pl.DataFrame:
    """All flagged points, and of the others the largest and the smallest error of each of so many stretches."""
    most = POINTS // panels // 2
    if len(points) <= 2 * most:
        return points
    bucket = (pl.col("number") * most) // (len(points) + 1)
    extreme = (pl.col("error") == pl.col("error").max().over(bucket)) | (
        pl.col("error") == pl.col("error").min().over(bucket)
    )
    return points.filter(pl.col("flagged") | (extreme & (pl.struct(bucket, "error").is_first_distinct())))


def _thinned_words(points: pl.DataFrame) -> str:
    """How many are drawn, where it is not all of them."""
    per_key = points.partition_by("key")
    drawn = sum(len(_thinned(each, len(per_key))) for each in per_key)
    if drawn == len(points):
        return ""
    return f" · {drawn:,} of {len(points):,} points drawn, all {int(points['flagged'].sum()):,} flagged"


def _name(key: int, templates: Templates | None) -> str:
    return f"key {key}" if templates is None else f"key {key}: {visible(templates.text(key), 90)}"


def _line(confidence: float) -> str:
    return f"bound {confidence}"


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.6g} %"
