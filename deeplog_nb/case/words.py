"""Verdicts in words: the sentence over a run, and the title of a finding.

Plain text with the log's own characters in it; whoever shows it makes it safe (``views.text``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from deeplog_nb.detector import Detector
from deeplog_nb.events.templates import Templates
from deeplog_nb.views.axes import counted
from deeplog_nb.views.text import gist

RULE_WORDS: Final = {
    "unseen": "never seen",
    "unlikely": "unlikely",
    "ended_early": "ended early",
    "counts": "wrong count",
    "short": "too short",
    "timing": "odd time",
    "value": "odd value",
}
QUOTED: Final = 140  # characters of a message or template in a title
ENDS: Final = "the session ends"  # what Detector.expected calls the end


def headline(detector: Detector, verdicts: pl.DataFrame) -> str:
    """What this run says, in one sentence: how many sessions (or lines, where a log has none) look wrong.

    >>> _sentence(12, 205, "session", 0), _sentence(1, 205, "session", 0), _sentence(0, 205, "session", 0)
    ('12 of 205 sessions look wrong.', '1 of 205 sessions looks wrong.', 'Nothing looks wrong in 205 sessions.')
    >>> _sentence(2, 205, "session", 1)
    '2 of 205 sessions look wrong, and 1 line outside any session.'
    """
    entries = verdicts.filter(pl.col("key").is_not_null())
    if detector.cut.whole_files:
        return _sentence(int(entries["anomalous"].sum()), len(entries), "line", 0)
    sessions = verdicts.filter(pl.col("session").is_not_null())
    each = sessions.group_by("session").agg(pl.col("anomalous").any(), pl.col("count").first().cast(pl.Int64))
    wrong, judged = each.select((pl.col("count") * pl.col("anomalous")).sum(), total=pl.col("count").sum()).row(0)
    alone = entries.filter("anomalous", pl.col("session").is_null()).height
    return _sentence(wrong, judged, "session", alone)


def title(row: Mapping[str, Any], message: str, templates: Templates, expected: Sequence[tuple[str, float]]) -> str:
    """What happened, in one sentence. ``row`` is a pattern, ``message`` the line that stands for it."""
    message = message.replace(row["session"] or "<*>", "<*>")  # one id in a title says nothing of the others
    if row["rule"] == "unseen":
        return f"Message never seen in training: {_quote(message)}"
    if row["rule"] == "short":
        return f"Ended after only {counted(row['position'], 'line')}"
    if row["rule"] == "ended_early":
        last = _named(row["before"], message, templates)
        return f"Ended after {last}; expected {_alternatives(expected, ENDS)}"
    if row["rule"] == "counts":
        return f"Wrong counts: {row['why'].partition('counts: ')[2]}"  # what stands before it is no log's text
    came = templates.text(row["key"])
    if row["rule"] in ("timing", "value"):
        return f"Odd {'wait before' if row['rule'] == 'timing' else 'value in'} {_quote(came)}: {row['why']}"
    return f"Expected {_alternatives(expected, came)}, came {_named(row['key'], message, templates)}"


def percent(probability: float) -> str:
    """A probability as people say it, never rounded to certain or impossible.

    >>> percent(0.973), percent(0.9996), percent(0.0002), percent(1.0)
    ('97 %', '> 99 %', '< 1 %', '> 99 %')
    """
    if probability > 0.994:
        return "> 99 %"
    return "< 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def one_in(probability: float) -> str:
    """A small probability as a frequency.

    >>> one_in(0.00018), one_in(0.01), one_in(1.6e-7), one_in(0)
    ('1 in 5,600', '1 in 100', '1 in 6,200,000', 'never')
    """
    if probability <= 0:
        return "never"
    times = float(f"{1 / probability:.2g}")
    return f"1 in {times:,.0f}" if times < 1e9 else f"1 in {times:.2g}"


def _sentence(wrong: int, judged: int, unit: str, alone: int) -> str:
    outside = f"{counted(alone, 'line')} outside any session"
    if not wrong and not alone:
        return f"Nothing looks wrong in {counted(judged, unit)}."
    if not wrong:
        return f"{outside} {'looks' if alone == 1 else 'look'} wrong, and none of {counted(judged, unit)}."
    verb = "looks" if wrong == 1 else "look"
    return f"{wrong:,} of {counted(judged, unit)} {verb} wrong{f', and {outside}' if alone else ''}."


def _alternatives(expected: Sequence[tuple[str, float]], came: str) -> str:
    """The most probable thing that did not come; the two most probable, where neither was to be counted on."""
    others = [(template, probability) for template, probability in expected if template != came]
    sure = bool(others) and others[0][1] >= 0.5
    names = [
        f"{'the end of the session' if text == ENDS else _quote(text)} ({percent(chance)})" for text, chance in others
    ]
    return " or ".join(names[: 1 if sure else 2]) or "something else"


def _named(key: int | None, message: str, templates: Templates) -> str:
    return _quote(templates.text(key) if key else message)


def _quote(text: str) -> str:
    """The text in quotes, without the tag in front that names one machine or task, cut to a title's length."""
    return f"‘{gist(text, QUOTED)}’"
