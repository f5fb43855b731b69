"""What differs from the normal log, as a section of the report: the first rows of the comparison, in words.

What differs, and whether it is more than chance, is said by ``workflow.compare``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import polars as pl

from deeplog_nb.detector import Detector
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COMPARED, FrameError, check
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.views.axes import counted, duration, percent
from deeplog_nb.views.page import Html, clip, join, table, tag
from deeplog_nb.views.text import gist
from deeplog_nb.workflow.compare import Comparison, comparison
from deeplog_nb.workflow.sides import WINDOW

ROWS: Final = 12  # shown
EVERY: Final = "from each line to the next"
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

ASPECTS: Final = {
    "messages": "which messages come and how often",
    "order": "their order",
    "pace": "their pace",
    "values": "their values",
}


def differences(
    detector: Detector, normal: pl.DataFrame, lines: pl.DataFrame, verdicts: pl.DataFrame
) -> Comparison | None:
    """What differs in the judged part of these LINES from the normal ones; None where either has nothing to compare."""
    usual, judged = (detector.templates.parse(each) for each in (normal, lines))
    try:
        if detector.cut.whole_files:
            judged = judged.join(verdicts.select("file", "line").unique(), on=["file", "line"], how="semi")
            return comparison(usual, judged, templates=detector.templates)
        usual, judged = (sessionize(each, **asdict(detector.cut)) for each in (usual, judged))
        judged = judged.join(verdicts.select("session").unique(), on="session", how="semi", maintain_order="left")
        return comparison(usual, judged, templates=detector.templates)
    except FrameError:  # no session is whole
        return None


def differing(found: Comparison | None, templates: Templates, limit: int) -> Html:
    """The section, texts of the log cut to ``limit`` characters; nothing where there was nothing to compare with."""
    if found is None:
        return Html()
    title, compared = tag("h2", "What differs from the normal log"), found.rows
    if check(compared, COMPARED, "compared").is_empty():
        said = f"Nothing that chance could not explain in {_alike(found)}. " if found.enough else ""
        return tag("section", title, tag("p", f"{said}{_counted(found)}"), id="differs")
    odd = "line" if found.unit == "window" else "session"
    lead = (
        f"{_shown(len(compared))}. Unlike the findings above, each is a change of the many, not one odd {odd}; a new "
        f"message is told even if it came once. {_counted(found)}"
    )
    rows = [_row(row, templates, limit) for row in compared.head(ROWS).to_dicts()]
    listed = table(("What", "Which", "Normal", "Now", "Counted"), rows, numeric=("Normal", "Now"))
    return tag("section", title, tag("p", lead, class_="lead"), listed, id="differs")


def _shown(many: int) -> str:
    logs = "between the normal and the judged log as wholes"
    if many == 1:
        return f"The only difference {logs}"
    shown = f"The first {ROWS} of {counted(many, 'difference')}" if many > ROWS else "All differences"
    return f"{shown} {logs}, the least likely to be chance first"


def _alike(found: Comparison) -> str:
    """In what nothing differs: only what was compared."""
    told = [words for aspect, words in ASPECTS.items() if aspect in found.aspects]
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]


def _counted(found: Comparison) -> str:
    """What was compared with what, how far that goes, and what could not be compared."""
    usual, judged = (counted(size, found.unit) for size in found.sizes)
    windows = found.unit == "window"
    each = f" of {WINDOW} lines" if windows else ""
    told = [f"Compared are {usual}{each} of the normal log with {judged} of the judged one"]
    if windows:
        told += ["there are no session ids"]
    if windows and not set(found.rows["what"]).isdisjoint(("more", "fewer")):
        told += ["where a window has more of one message, it has room for fewer others"]
    if not found.enough:
        told += ["too few to tell a difference from chance"]
    if "pace" not in found.aspects:
        told += ["how long steps take was not compared, since times are missing or no step came often enough"]
    return f"{'; '.join(told)}."


def _row(row: Mapping[str, Any], templates: Templates, limit: int) -> tuple[object, ...]:
    def named(key: int) -> Html:
        return tag("code", clip(gist(templates.text(key), NAME), limit))

    which: list[object] = [EVERY if row["key"] is None else named(row["key"])]
    if row["before"] is not None:
        which = [named(row["before"]), " then ", *which]
    if row["value"] is not None:
        which += [" has ", clip(row["name"], NAME), " ", tag("code", clip(row["value"], min(limit, NAME)))]
    figures = (_figure(row[side], row["unit"]) for side in ("normal", "suspect"))
    why = row["why"] if row["certain"] else f"{row['why']}; could be chance"
    return tag("span", WORDS[row["what"]], class_="whole"), join(which), *figures, clip(why, limit)


def _figure(value: float, unit: str) -> str:
    if unit == "s":
        return duration(value)
    return "none" if value == 0 else f"{value:.3g} {unit}" if unit.startswith("per ") else percent(value)
