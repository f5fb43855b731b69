"""Charts whose title is the finding: frames in, pictures out, aggregated in polars before they are drawn.

How they look is in ``theme``, how they show themselves in ``display``.
"""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import polars as pl

from deeplog_nb.frames import RANKS, FrameError, InputError, check
from deeplog_nb.views.axes import LOG_FROM, counted, percent, rank_ticks, share_ticks
from deeplog_nb.views.display import Picture
from deeplog_nb.views.theme import BLUE, CARD, HEIGHT, VERMILION, WIDTH, dress

LAST_RANK: Final = 65_535  # the column is u16
PERCENT: Final = "format(100 * datum.value, '.6~r') + ' %'"
TIPS: Final = [
    alt.Tooltip("rank:Q", title="rank r"),
    alt.Tooltip("share:Q", title="share within r", format=".5~%"),
    alt.Tooltip("entries:Q", title="next keys at r", format=","),
]


def rank_cdf(ranks: pl.DataFrame, *, g: int = 9) -> Picture:
    """Share of the next keys whose true key the model ranked within the top r, for every r.

    An entry counts ``count`` times. End rows (key null) are no entries; an unseen key (rank null)
    is one, and never within. Raises FrameError if columns of RANKS or all entries are missing,
    InputError if g is no rank.

    >>> seen = {"session": ["a", "a", "b"], "position": [0, 1, 0], "key": [1, 2, 1], "count": [1, 1, 2]}
    >>> ranks = pl.DataFrame(
    ...     seen | {"open": [False] * 3, "rank": [1, 3, 1], "probability": [0.9, 0.1, 0.9]}, schema=RANKS
    ... )
    >>> rank_cdf(ranks, g=2)
    75.0 % of next keys are within the top 2 · 4 next keys in 3 sessions
    >>> rank_cdf(ranks, g=2).data()
    shape: (3, 3)
    ┌──────┬─────────┬───────┐
    │ rank ┆ entries ┆ share │
    │ ---  ┆ ---     ┆ ---   │
    │ u16  ┆ u64     ┆ f64   │
    ╞══════╪═════════╪═══════╡
    │ 1    ┆ 3       ┆ 0.75  │
    │ 2    ┆ 0       ┆ 0.75  │
    │ 3    ┆ 1       ┆ 1.0   │
    └──────┴─────────┴───────┘
    """
    entries = check(ranks, RANKS, "ranks").filter(pl.col("key").is_not_null()).select("rank", "count")
    if entries.is_empty():
        raise FrameError("ranks: no next keys to draw, only end rows or none; pass what a model's rank() gave")
    if not 1 <= g <= LAST_RANK:
        raise InputError(f"g is {g}, and ranks go from 1 to {LAST_RANK:,}: pass one of them")
    shares = _shares(entries, g)
    last, within = len(shares), shares["share"][g - 1]
    title, base = f"{percent(within)} of next keys are within the top {g}", _base(ranks, entries)
    told = f"Step chart of the share of next keys within rank r, for r = 1 to {last}. {title}."
    chart = alt.layer(*_steps(shares), *_mark(g, within, last)).properties(width=WIDTH, height=HEIGHT)
    return Picture(dress(chart, title=title, subtitle=base, description=told), shares, f"{title} · {base}")


def _shares(entries: pl.DataFrame, g: int) -> pl.DataFrame:
    weight = pl.col("count").cast(pl.UInt64)
    total = entries.select(weight.sum()).item()
    last = max(entries.select(pl.max("rank")).item() or 1, g)
    share = pl.col("entries").cum_sum() / total
    return (
        pl.DataFrame({"rank": range(1, last + 1)}, schema={"rank": pl.UInt16})
        .join(entries.group_by("rank").agg(entries=weight.sum()), on="rank", how="left", maintain_order="left")
        .with_columns(pl.col("entries").fill_null(0))
        .with_columns(share=share.round(12))  # polars multiplies by 1 / total, and 49 * (1 / 49) < 1
    )


def _base(ranks: pl.DataFrame, entries: pl.DataFrame) -> str:
    weight = pl.col("count").cast(pl.UInt64).sum()
    total = entries.select(weight).item()
    sessions = ranks.select("session", "count").unique("session").select(weight).item()
    unseen = entries.filter(pl.col("rank").is_null()).select(weight).item()
    told = f" · {unseen:,} unseen, never within" if unseen else ""
    return f"{counted(total, 'next key')} in {counted(sessions, 'session')}{told}"


def _steps(shares: pl.DataFrame) -> tuple[alt.Chart, alt.Chart]:
    last = len(shares)
    ticks = share_ticks(shares["share"][0])
    left = -8 - 6.6 * max(len(f"{100 * tick:.6g} %") for tick in ticks)  # px, where the axis labels begin
    rank = alt.X(
        "rank:Q",
        title="rank r of the true key" + (" (logarithmic axis)" if last > LOG_FROM else ""),
        scale=alt.Scale(domain=[1, max(last, 2)], nice=False, padding=14, type="log" if last > LOG_FROM else "linear"),
        axis=alt.Axis(values=rank_ticks(last), grid=False, format=",d"),
    )
    share = alt.Y(
        "share:Q",
        title="share of next keys within rank r" + (f" (axis starts at {100 * ticks[0]:.6g} %)" if ticks[0] else ""),
        scale=alt.Scale(domain=[ticks[0], 1], nice=False),
        axis=alt.Axis(values=ticks, labelExpr=PERCENT, titleAngle=0, titleAlign="left", titleX=left, titleY=-20),
    )
    base = alt.Chart(_thinned(shares)).encode(x=rank, y=share, tooltip=TIPS)
    steps = base.mark_line(interpolate="step-after", strokeWidth=2.5, color=BLUE)
    return steps, base.mark_circle(size=40, color=BLUE, opacity=0 if last > LOG_FROM else 1)


def _thinned(shares: pl.DataFrame) -> pl.DataFrame:
    every = pl.col("rank") <= 1000  # beyond, single ranks are finer than the logarithmic axis can show
    return shares.filter(every | (pl.col("rank") % 20 == 0) | (pl.col("rank") == pl.max("rank")))


def _mark(g: int, within: float, last: int) -> list[alt.Chart]:
    mark = pl.DataFrame({"rank": [g], "share": [within], "label": [f"g = {g}: {percent(within)}"]})
    line = alt.Chart(mark).encode(x="rank:Q")
    dot = line.encode(y="share:Q")
    text = dot.encode(text="label:N")
    aside: dict[str, Any] = (
        {"align": "left", "dx": 10, "dy": 20} if 2 * g <= last + 1 else {"align": "right", "dx": -10, "dy": -14}
    )
    font = aside | {"fontSize": 14, "fontWeight": "bold"}
    return [
        line.mark_rule(color=VERMILION, strokeDash=[5, 4], strokeWidth=1.5),
        dot.mark_point(color=VERMILION, filled=True, size=90, opacity=1),
        text.mark_text(color=CARD, stroke=CARD, strokeWidth=5, **font),  # a halo, so that no grid line strikes it
        text.mark_text(color=VERMILION, **font),
    ]
