"""How every chart looks: colours that survive colour-blindness, one font, its own light card.

It holds no data and draws nothing. The card keeps its background in a dark notebook too, since
hosts recolour a transparent chart each in their own way.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import altair as alt

BLUE: Final = "#0072B2"  # what is usual
VERMILION: Final = "#D55E00"  # what is not
INK: Final = "#1F2933"
SOFT: Final = "#52606D"  # 6.4 : 1 on the card
FAINT: Final = "#E4E7EB"
CARD: Final = "#FFFFFF"

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
"""Eight colours told apart with any kind of colour vision (Okabe and Ito 2008)."""

FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"  # vl-convert carries the first: same PNG anywhere

WIDTH: Final = 640
HEIGHT: Final = 300

CONFIG: Final[dict[str, Any]] = {
    "background": CARD,
    "padding": {"left": 16, "right": 24, "top": 16, "bottom": 14},
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": FAINT,
        "labelColor": SOFT,
        "labelFontSize": 12,
        "labelPadding": 8,
        "titleColor": SOFT,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 12,
    },
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": INK,
        "fontSize": 17,
        "fontWeight": "bold",
        "subtitleColor": SOFT,
        "subtitleFontSize": 12.5,
        "subtitlePadding": 6,
        "offset": 14,
    },
    "range": {"category": list(OKABE_ITO), "heatmap": {"scheme": "cividis"}},
}

AnyChart = TypeVar("AnyChart", bound=alt.TopLevelMixin)


def dress(chart: AnyChart, *, title: str, subtitle: str, description: str) -> AnyChart:
    """The chart with its finding as title, what it rests on below, and words for who cannot see it.

    >>> bare = alt.Chart(alt.InlineData(values=[])).mark_line()
    >>> dress(bare, title="all is well", subtitle="3 sessions", description="a flat line").description
    'a flat line'
    """
    heading = alt.TitleParams(title, subtitle=subtitle)
    return chart.properties(title=heading, description=description, config=CONFIG)
