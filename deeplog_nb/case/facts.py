"""The facts that head a report: what was read, what became of its lines, how sessions were told apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from deeplog_nb.lines.read import detect_layout

if TYPE_CHECKING:
    from deeplog_nb.detector import Detector

COUNTED: Final = ("folded", "cut", "recoded", "damaged", "lone_cr")  # flags that the first fact tells of


def read_fact(counts: dict[str, int], paths: Sequence[str | Path], layout: str) -> str:
    """What was read, in what layout, and what is odd about it."""
    names = ", ".join(Path(path).name for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    how = f"layout {layout}, as asked"
    if layout == "auto":
        found = detect_layout(paths)
        how = f"layout {found.layout.name}, fits {found.share:.0%} of the first {found.looked_at} lines"
    odd = "".join(f", {counts[name]:,} {name}" for name in ("unmatched", *COUNTED) if counts[name])
    return f"{counts['lines']:,} lines of {names} ({how}{odd})"


def line_counts(lines: pl.DataFrame | pl.LazyFrame) -> dict[str, int]:
    """Physical lines, and what became of them."""
    flagged = {flag: pl.col("flags").list.contains(flag) for flag in COUNTED}
    more = pl.col("message").filter(flagged["folded"]).str.count_matches("\n", literal=True).sum()
    marked = {flag: found.sum() for flag, found in flagged.items()} | {"folded": more}
    found = (
        lines.lazy().select(records=pl.len(), matched=pl.col("matched").sum(), **marked).collect().row(0, named=True)
    )
    records, matched = found.pop("records"), found.pop("matched")
    return {"lines": records + found["folded"], "matched": matched, "unmatched": records - matched, **found}


def sessions_fact(detector: Detector, verdicts: pl.DataFrame) -> str:
    """How sessions were told apart, and how many raised an alarm."""
    if detector.cut.whole_files:
        return "none: nothing tells them apart, so each file is read in windows; --session, --gap or --count would"
    flagged, judged = _flagged(verdicts)
    alone = verdicts.filter(pl.col("session").is_null()).height
    loose = f"; {alone:,} lines in no session, checked for unseen messages only" if alone else ""
    return f"{judged:,} judged, {flagged:,} with an alarm; told apart {detector.cut}{loose}"


def _flagged(verdicts: pl.DataFrame) -> tuple[int, int]:
    per_session = verdicts.drop_nulls("session").group_by("session").agg(pl.col("anomalous").any())
    return int(per_session["anomalous"].sum()), len(per_session)
