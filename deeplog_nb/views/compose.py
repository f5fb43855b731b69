"""STEPS and EDGES -> the scene: heading, legend, and the tasks one below the other.

What is said in words is given to it; what is left out was left out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from deeplog_nb.views.band import PAD, TaskBand, Words
from deeplog_nb.views.lettering import wrap
from deeplog_nb.views.marks import Mark
from deeplog_nb.views.scene import KINDS, MARGIN, WIDTH, Scene, Text, legend
from deeplog_nb.views.text import visible
from deeplog_nb.views.theme import INK, SOFT
from deeplog_nb.workflow.way import Way

TITLE: Final = 17.0  # px, as in every chart
MOST: Final = 6  # lines of it: a diagnosis may tell of a value and of a slow step
SUBTITLE: Final = 12.5
TOOLS: Final = 110.0  # px at the right of the title, where the live graph has its buttons


def compose(
    steps: pl.DataFrame,
    edges: pl.DataFrame,
    way: Way | None,
    words: Words,
    mark: Mark | None = None,
    *,
    title: str,
    subtitle: str,
) -> Scene:
    """The scene of these steps and edges, the finding as its title."""
    bands, first = [], 1
    for number in steps["task"].unique().sort():
        own = pl.col("task") == number
        band = TaskBand.of(steps.filter(own), edges.filter(own), way, words, mark)
        bands.append(band.scene(first))
        first += band.last + 1
    drawn = {line.kind for band in bands for line in band.lines}
    scene = _heading(title, subtitle, [kind for kind in KINDS if kind in drawn])
    for each in bands:
        scene = _above(scene, each)
    return replace(scene, height=scene.height + MARGIN - PAD)


def _heading(title: str, subtitle: str, kinds: Sequence[str]) -> Scene:
    room = WIDTH - 2 * MARGIN
    lines = wrap(visible(title), room - TOOLS, MOST, TITLE)
    texts = [Text(MARGIN, MARGIN + TITLE + 22 * at, line, TITLE, INK, bold=True) for at, line in enumerate(lines)]
    y = MARGIN + 22 * len(lines) + 16
    small = wrap(visible(subtitle), room, 3, SUBTITLE)
    texts += [Text(MARGIN, y + 17 * at, line, SUBTITLE, SOFT) for at, line in enumerate(small)]
    y += 17 * len(small) + 8
    keys, told = legend(kinds, y)
    return Scene(WIDTH, y + 22, keys=tuple(keys), texts=(*texts, *told))


def _above(scene: Scene, band: Scene) -> Scene:
    lower = band.moved(0, scene.height)
    return Scene(
        max(scene.width, band.width),
        scene.height + band.height,
        scene.boxes + lower.boxes,
        scene.lines + lower.lines,
        scene.grounds + lower.grounds,
        scene.keys,
        scene.texts + lower.texts,
    )
