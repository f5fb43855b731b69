"""What differs from the normal log, as a section of the report: the first rows of the comparison, in words.

What differs, and whether it is more than chance, is said by ``workflow.compare``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import polars as pl

from deeplog_nb.case.words import percent
from deeplog_nb.detector import Detector
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COMPARED, FrameError, check
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.views.axes import counted, duration
from deeplog_nb.views.page import Html, clip, join, table, tag
from deeplog_nb.views.text import gist
from deeplog_nb.workflow.compare import compare

ROWS: Final = 12  # shown
NAME: Final = 140  # characters of a message in a row
WORDS: Final = {
    "new": "new message",
    "vanished": "gone",
    "more": "more often",
    "fewer": "less often",
    "slower": "slower",
    "faster": "faster",
    "reordered": "other order",
    "value": "new value",
}


def differences(
    detector: Detector, normal: pl.DataFrame, lines: pl.DataFrame, verdicts: pl.DataFrame
) -> pl.DataFrame | None:
    """COMPARED: what differs in the judged part of these LINES from the normal ones; None where there is too little."""
    usual, judged = (detector.templates.parse(each) for each in (normal, lines))
    try:
        if detector.cut.whole_files:
            judged = judged.join(verdicts.select("file", "line").unique(), on=["file", "line"], how="semi")
            return compare(usual, judged, templates=detector.templates)
        usual, judged = (sessionize(each, **asdict(detector.cut)) for each in (usual, judged))
        judged = judged.join(verdicts.select("session").unique(), on="session", how="semi", maintain_order="left")
        return compare(usual, judged, templates=detector.templates)
    except FrameError:  # no session is whole
        return None


def differing(compared: pl.DataFrame | None, templates: Templates, limit: int) -> Html:
    """The section on what was COMPARED, texts of the log cut to ``limit`` characters; nothing where nothing was."""
    if compared is None:
        return Html()
    title = tag("h2", "What differs from the normal log")
    if check(compared, COMPARED, "compared").is_empty():
        said = "Nothing that chance could not explain: the same messages, as often, in the same order and pace."
        return tag("section", title, tag("p", said), id="differs")
    shown = f"The first {ROWS} of {counted(len(compared), 'difference')}" if len(compared) > ROWS else "All differences"
    lead = (
        f"{shown} between the normal and the judged log as wholes, the least likely to be chance first. Unlike the "
        "findings above, each is a change of the many, not one odd session; a new message is told even if it came once."
    )
    rows = [_row(row, templates, limit) for row in compared.head(ROWS).to_dicts()]
    listed = table(("What", "Which", "Normal", "Now", "Counted"), rows, numeric=("Normal", "Now"))
    return tag("section", title, tag("p", lead, class_="lead"), listed, id="differs")


def _row(row: Mapping[str, Any], templates: Templates, limit: int) -> tuple[object, ...]:
    def named(key: int) -> Html:
        return tag("code", clip(gist(templates.text(key), NAME), limit))

    which: list[object] = [named(row["key"])]
    if row["before"] is not None:
        which = [named(row["before"]), " then ", *which]
    if row["value"] is not None:
        which += [" has ", clip(row["name"], NAME), " ", tag("code", clip(row["value"], min(limit, NAME)))]
    figures = (_figure(row[side], row["unit"]) for side in ("normal", "suspect"))
    return tag("span", WORDS[row["what"]], class_="whole"), join(which), *figures, clip(row["why"], limit)


def _figure(value: float, unit: str) -> str:
    if unit == "s":
        return duration(value)
    return "none" if value == 0 else f"{value:.3g} {unit}" if unit == "per session" else percent(value)
