"""Any frame becomes something to look at: pictures, progress lines, and text that is safe to show.

    display   the one display contract: Picture, three safe types, the same bytes each time
    theme     colours, font and card of every chart
    axes      numbers as charts say them
    charts    frames to pictures, the finding as title
    graph     a workflow as picture, table and live graph; below it layers (where things are), band, compose and scene
              (what is drawn), svg and network (drawn as PNG, drawn live), lettering, palette, figure (how it is shown)
    page      HTML that is safe by construction
    progress  long work on one self-updating line
    text      invisible and steering characters made visible

Charts load altair, so they are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplog_nb.views.display import Picture
from deeplog_nb.views.progress import Progress
from deeplog_nb.views.text import escape, visible, visible_expr

if TYPE_CHECKING:
    from deeplog_nb.views.charts import rank_cdf

__all__ = ["Picture", "Progress", "escape", "rank_cdf", "visible", "visible_expr"]


def __getattr__(name: str) -> object:
    if name != "rank_cdf":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deeplog_nb.views.charts import rank_cdf

    return rank_cdf
