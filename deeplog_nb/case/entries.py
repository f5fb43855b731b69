"""A finding as HTML: an entry that unfolds to the lines around the alarm and what was expected there."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from deeplog_nb.case.findings import Finding, Near
from deeplog_nb.case.words import RULE_WORDS, percent
from deeplog_nb.views.axes import counted
from deeplog_nb.views.page import Html, bar, clip, join, tag

BESIDE: Final = 500  # characters of a line that did not raise the alarm
NAME: Final = 160  # characters of a session's name


def entry(finding: Finding, place: str, limit: int, *, number: int, unfolded: bool) -> Html:
    """One pattern of alarms as an entry of the list: title, place, lines, what was expected, reason."""
    unit = "session" if finding.session is not None else "line"
    summary = tag(
        "summary",
        tag("span", RULE_WORDS[finding.rule], class_=f"rule {finding.rule}"),
        tag("h3", clip(_unbroken(finding.title), limit)),
        tag("span", counted(finding.sessions, unit), class_="many"),
    )
    where = join(
        (
            tag("code", clip(place, limit)),
            *([when(finding.time)] if finding.time else []),
            _session(finding.session, limit),
        ),
        " · ",
    )
    inside = (tag("p", where, class_="where"), _context(finding, limit), _expected(finding, limit))
    why = tag("div", tag("h4", "Reason"), tag("p", clip(finding.why, limit)), class_="aside")
    return tag("li", tag("details", summary, *inside, why, open=unfolded), id=f"f{number}")


def _session(session: str | None, limit: int) -> Html:
    return join(["session ", tag("code", clip(session, min(limit, NAME)))]) if session else clip("in no session")


def _context(finding: Finding, limit: int) -> Html:
    rows = [_line(each, finding.session, limit) for each in finding.context]
    if finding.rule in ("ended_early", "short"):
        rows.append(
            tag("div", tag("span", "■", class_="mark"), tag("em", "no further line in this session"), class_="none")
        )
    return tag("div", *rows, class_="lines")


def _line(near: Near, session: str | None, limit: int) -> Html:
    time = f"{near.time:%H:%M:%S}.{near.time.microsecond // 1000:03d}" if near.time else ""
    mark = tag("span", "▶", class_="mark") if near.is_alarm else tag("span", class_="mark")
    said = tag("span", dimmed(near.message, session, limit if near.is_alarm else min(limit, BESIDE)), class_="text")
    parts = (mark, tag("span", near.line, class_="no"), tag("span", time, class_="at"), said)
    return tag("div", tag("b", *parts) if near.is_alarm else join(parts), class_="alarm" if near.is_alarm else None)


def dimmed(message: str, session: str | None, limit: int) -> Html:
    """The message with the session's id, which all lines of a finding share, set back."""
    if not session or len(message) > limit:
        return clip(message, limit)
    return join(message.split(session), tag("span", session, class_="id"))


def _expected(finding: Finding, limit: int) -> Html:
    if not finding.expected:
        return Html()
    rows = (
        tag("li", bar(each.probability), tag("span", percent(each.probability), class_="n"), _template(each[0], limit))
        for each in finding.expected
    )
    return tag("div", tag("h4", "Expected"), tag("ul", *rows), class_="aside")


def _template(text: str, limit: int) -> Html:
    return tag("code", clip(text, min(limit, 300)))


def _unbroken(title: str) -> str:
    """The title with its percentages kept on one line."""
    return title.replace(" %", "\N{NO-BREAK SPACE}%").replace("(> ", "(>\N{NO-BREAK SPACE}")


def span(begin: datetime, end: datetime) -> str:
    """Begin and end as people write them, the day once where it is the same."""
    return f"{when(begin)} to {end:%H:%M:%S}" if begin.date() == end.date() else f"{when(begin)} to {when(end)}"


def when(time: datetime | None) -> str:
    """A time to the second; nothing where there is none."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
