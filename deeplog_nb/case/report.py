"""One run as one HTML file to mail, print or file: verdict first, then what happened, then how it was judged.

No script, nothing from the network. What the sections say is in ``sections``, how HTML is made in ``views.page``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from deeplog_nb.case.differences import differences
from deeplog_nb.case.findings import PLACE, findings, shown_files
from deeplog_nb.case.sections import Run, body
from deeplog_nb.case.words import headline
from deeplog_nb.detector import Detector
from deeplog_nb.disk import write_whole
from deeplog_nb.frames import LINES, VERDICTS, InputError, check
from deeplog_nb.resources import shipped
from deeplog_nb.verdicts.patterns import alarms, patterns
from deeplog_nb.views.display import Picture
from deeplog_nb.views.page import document

__all__ = ["findings", "write_report"]

FINDINGS: Final = 50  # patterns shown
BYTES: Final = 3_000_000  # a report is never larger
LIMITS: Final = (2_000, 300, 60)  # characters of a log line; a page that gets too large is made with the next


def write_report(
    path: Path | str,
    detector: Detector,
    lines: pl.DataFrame,
    verdicts: pl.DataFrame,
    *,
    about: Mapping[str, str] | None = None,
    normal: pl.DataFrame | None = None,
) -> Path:
    """Write the report of these VERDICTS, the detector's for these LINES; returns where it is.

    ``verdicts`` may lack whole sessions that are not to be reported. ``about`` are facts for its head, in
    their order: what was read, what it was trained on. With the ``normal`` LINES the report also says what differs from
    them as a whole. One file below 3 MB, readable without network or script.
    """
    check(lines, LINES, "lines")
    check(verdicts, VERDICTS | PLACE, "verdicts")
    run = Run(
        detector=detector,
        lines=lines,
        verdicts=verdicts,
        about=dict(about or {}),
        headline=headline(detector, verdicts),
        findings=findings(detector, lines, verdicts, most=FINDINGS),
        patterns=len(patterns(verdicts, per=detector.cut.unit)),
        alarms=alarms(verdicts),
        names=shown_files(verdicts["file"].drop_nulls().unique(maintain_order=True).cast(pl.String).to_list()),
        picture=_picture(detector),
        compared=None if normal is None else differences(detector, check(normal, LINES, "normal"), lines, verdicts),
    )
    write_whole(Path(path), _page(run).encode())
    return Path(path)


def _page(run: Run) -> str:
    style = shipped("widgets", "report.css").read_text("utf-8")
    for limit in LIMITS:
        page = document(f"deeplog_nb: {run.headline}", style, body(run, limit))
        if len(page.encode()) < BYTES:
            return page
    raise InputError("the report would be larger than 3 MB; shorten the texts in about")


def _picture(detector: Detector) -> Picture | None:
    """How well the model foretells held-out normal sessions; None where nothing was held out."""
    if detector.held_out.filter(pl.col("key").is_not_null()).is_empty():
        return None
    from deeplog_nb.views.charts import rank_cdf

    return rank_cdf(detector.held_out, g=detector.policy.g or 9)
