"""The sections of the report, each a function of the run that gives HTML, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import polars as pl

from deeplog_nb.case.differences import differing
from deeplog_nb.case.entries import dimmed, entry, span, when
from deeplog_nb.case.findings import Finding, with_messages
from deeplog_nb.case.judging import judged_how, made_with
from deeplog_nb.case.words import RULE_WORDS
from deeplog_nb.detector import Detector
from deeplog_nb.views.axes import counted
from deeplog_nb.views.display import Picture
from deeplog_nb.views.page import Html, clip, columns, facts, join, picture, table, tag
from deeplog_nb.workflow.compare import Comparison

OPEN: Final = 10  # findings that are unfolded; the others unfold on a click
ROWS: Final = 500  # alarms in the table
CELL: Final = 160  # characters of a text in the table
BUCKETS: Final = 96  # columns of the time line


@dataclass(frozen=True)
class Run:
    """All that a report tells of."""

    detector: Detector
    lines: pl.DataFrame
    verdicts: pl.DataFrame
    about: Mapping[str, str]
    headline: str
    findings: Sequence[Finding]
    patterns: int  # of which findings are the worst
    alarms: pl.DataFrame
    names: Mapping[str, str]  # of files, as shown
    picture: Picture | None
    compared: Comparison | None = None  # with the normal log, where there is one

    @cached_property
    def png(self) -> bytes | None:
        """The picture, drawn once."""
        return self.picture.png() if self.picture else None

    def place(self, file: str | None, line: int | None) -> str:
        """The file and line as people write it."""
        return f"{self.names.get(file or '', file)}:{line}"


def body(run: Run, limit: int) -> Html:
    """Everything between the body tags, texts of the log cut to ``limit`` characters."""
    parts = (
        _top(run, limit),
        tag(
            "main",
            _findings(run, limit),
            differing(run.compared, run.detector.templates, limit),
            _alarms(run, limit),
            _model(run),
            judged_how(run.detector, limit),
        ),
        made_with(run.detector, run.lines, run.verdicts, limit),
    )
    return join(parts)


def _top(run: Run, limit: int) -> Html:
    begin, end = run.verdicts.select(pl.col("time").min(), end=pl.col("time").max()).row(0)
    over = f"{span(begin, end)}, by the log’s clock" if begin and end else "The log states no times."
    alarms = {"alarms": "All alarms"} if len(run.alarms) else {}
    differs = {} if run.compared is None else {"differs": "What differs"}
    links = {"findings": "What happened", **differs, **alarms, "model": "The model", "judged": "How it was judged"}
    return tag(
        "header",
        tag("p", "Log report", class_="kind"),
        tag("h1", run.headline),
        tag("p", over, class_="span"),
        _strip(run.alarms["time"], begin, end),
        facts((name, clip(said, limit)) for name, said in run.about.items()) if run.about else Html(),
        tag("nav", *(tag("a", text, href=f"#{name}") for name, text in links.items()), aria_label="Sections"),
    )


def _strip(times: pl.Series, begin: datetime | None, end: datetime | None) -> Html:
    """When the alarms came, over the time of the log."""
    if begin is None or end is None or begin == end or times.drop_nulls().is_empty():
        return Html()
    at = ((times.drop_nulls() - begin).dt.total_microseconds() * BUCKETS) // ((end - begin).total_seconds() * 1e6 + 1)
    counts = [0] * BUCKETS
    for bucket in at.cast(pl.Int64):
        counts[bucket] += 1
    told = f"{counted(len(at), 'alarm')} over time; the tallest column stands for {max(counts)}"
    style = "%H:%M" if begin.date() == end.date() else "%Y-%m-%d"
    ends = (tag("span", each) for each in (begin.strftime(style), told, end.strftime(style)))
    return tag("div", columns(counts, told), tag("div", *ends, class_="ends"), class_="when")


def _findings(run: Run, limit: int) -> Html:
    if not run.findings:
        said = (
            "No alarm was raised. That does not prove that all is well: it says that every line came where the model "
            "could expect it, and that every session ended where such sessions end."
        )
        return _section("findings", "What happened", tag("p", said))
    shown = f"Showing {len(run.findings)} of " if len(run.findings) < run.patterns else ""
    lead = (
        f"{shown}{counted(run.patterns, 'pattern')} of alarms, the most surprising first; sessions with the same "
        "pattern are one entry. ▶ marks the line that raised the alarm, among the lines of its session."
    )
    places = (run.place(each.file, each.line) for each in run.findings)
    entries = (
        entry(each, place, limit, number=at, unfolded=at <= OPEN)
        for at, (each, place) in enumerate(zip(run.findings, places, strict=True), 1)
    )
    return _section("findings", "What happened", tag("p", lead, class_="lead"), tag("ol", *entries, class_="findings"))


def _alarms(run: Run, limit: int) -> Html:
    total, cut = len(run.alarms), min(limit, CELL)
    if not total:
        return Html()
    rows = with_messages(run.alarms.head(ROWS), run.lines)
    shown = f"Showing the {ROWS} worst of {total:,}." if total > ROWS else f"All {total:,}."
    lead = (
        f"{shown} The score says how surprising an alarm is: 3 is a chance of 1 in 1,000, 6 of 1 in a million; "
        "40 stands for a message never seen in training."
    )
    listed = table(("Score", "What", "Where and when", "Message and reason"), _rows(run, rows, cut), numeric=["Score"])
    whole = tag("details", tag("summary", counted(total, "alarm")), listed)
    return _section("alarms", "All alarms", tag("p", lead, class_="lead"), whole)


def _rows(run: Run, rows: pl.DataFrame, cut: int) -> Iterator[Sequence[object]]:
    names = ("score", "rule", "file", "line", "time", "session", "message", "why")
    for score, rule, file, line, time, session, message, why in rows.select(names).rows():
        place = join([tag("code", clip(run.place(file, line), cut), class_="place"), tag("small", when(time))])
        owner = join([" · session ", tag("code", clip(session, cut))]) if session is not None else " · in no session"
        told = join(
            [tag("code", dimmed(message, session, cut)), tag("small", clip(why, 3 * cut), owner)]
        )  # may name three
        yield "" if score is None else f"{score:.1f}", tag("span", RULE_WORDS[rule], class_="whole"), place, told


def _model(run: Run) -> Html:
    if run.picture is None or run.png is None:
        said = "No normal sessions were held out, so there is no measure of how well the model knows what is normal."
        return _section("model", "How well the model knows normal", tag("p", said))
    lead = (
        "Measured on normal sessions that the model was not trained on: for each line, the model ordered all known "
        "messages by how probable they were to come next. Rank 1 means that its first guess came."
    )
    gloss = "In the chart a key is a kind of message, and r its place in the model’s order of what may come next."
    drawn = picture(run.png, run.picture.alt, gloss)
    return _section("model", "How well the model knows normal", tag("p", lead, class_="lead"), drawn)


def _section(name: str, title: str, *inside: object) -> Html:
    return tag("section", tag("h2", title), *inside, id=name)
