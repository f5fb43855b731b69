from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from deeplog_nb.case import report, sections
from deeplog_nb.case.report import BYTES, write_report
from deeplog_nb.detector import Detector
from deeplog_nb.verdicts.patterns import alarms
from deeplog_nb.verdicts.policy import Policy

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>@import 'http://evil.example/x.css'</style>",
    "</code></details><iframe src=http://evil.example></iframe>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "\x1b[31mred\x1b]8;;http://evil.example\x07link",
    "\u202eedoc\u2066 bidi \u200b hidden",
    "nul \x00 and \x9b31m and \x7f",
    "<!-- --><![CDATA[ ]]>&lt;b&gt;",
)


class _Page(HTMLParser):
    """What a browser would find: elements, attributes, and the text of each kind of element."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.raw = path.read_text("utf-8")
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""
        self.feed(self.raw)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(key, value or "") for key, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


Write = Callable[..., _Page]


@pytest.fixture
def write(detector: Detector, tmp_path: Path) -> Write:
    """Judges the lines, writes their report and reads it."""

    def written(lines: pl.DataFrame, detector: Detector = detector, **options: Any) -> _Page:
        return _Page(write_report(tmp_path / "report.html", detector, lines, detector.judge(lines), **options))

    return written


@pytest.fixture
def hostile(jobs: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """Each hostile text as a message, in a file and (by the pattern's looseness) beside a session of such a name."""
    steps = ("starting up", "reading input", "writing output", "shutting down")
    sessions = [(*steps[: at % 4], text, *steps[at % 4 :]) for at, text in enumerate(HOSTILE)]
    return jobs(*sessions, file=f"/var/log/{HOSTILE[1]}\x00/{HOSTILE[0]}")


def test_hostile_text_stays_text(write: Write, hostile: pl.DataFrame) -> None:
    """Of what a log may hold to run, fetch or hide, nothing reaches the page but as visible text."""
    page = write(hostile, about={HOSTILE[0]: HOSTILE[1]})
    assert not page.tags & {"script", "iframe", "embed", "form", "base", "object"}
    assert not [key for key, _ in page.attributes if key.startswith("on") or key in ("style", "srcset", "srcdoc")]
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", page.raw) == []
    assert "<script>alert(1)</script>" in page.text
    assert r"\x1b[31mred" in page.text


def test_session_names_are_escaped_too(detector: Detector, hostile: pl.DataFrame, tmp_path: Path) -> None:
    """A session's name comes from the log, and is no more trusted than a message."""
    verdicts = detector.judge(hostile).with_columns(pl.format("{}{}", "session", pl.lit(HOSTILE[1])).alias("session"))
    page = _Page(write_report(tmp_path / "report.html", detector, hostile, verdicts))
    assert ("src", "x") not in page.attributes
    assert f"job-1{HOSTILE[1]}" in page.text


def test_the_page_fetches_nothing(write: Write, hostile: pl.DataFrame) -> None:
    """Every address in the page is a place within it, or data that it carries."""
    page = write(hostile)
    addresses = [value for key, value in page.attributes if key in ("src", "href", "action", "data", "poster")]
    assert [a for a in addresses if not a.startswith(("#", "data:"))] == []
    assert not re.search(r"@import|url\(", page.raw[: page.raw.index("</style>")])


def test_the_policy_forbids_scripts_and_requests(write: Write, normal: pl.DataFrame) -> None:
    """Were something to slip through, the browser would still not run or load it."""
    policy = next(value for key, value in write(normal).attributes if value.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; img-src data:; base-uri 'none'; form-action 'none'")


def test_the_verdict_comes_first(write: Write, wrong: pl.DataFrame) -> None:
    """One sentence, the time span, then the caller's facts in their order, then what happened."""
    text = write(wrong, about={"Read": "38 lines", "Trained on": "100 jobs"}).text
    order = ["3 of 10 sessions look wrong.", "2026-03-02 00:00:01 to 00:00:38", "38 lines", "100 jobs", "disk on fire"]
    start = text.index("Log report")
    assert [text.index(each, start) for each in order] == sorted(text.index(each, start) for each in order)


def test_every_alarm_is_traced(detector: Detector, wrong: pl.DataFrame, write: Write) -> None:
    """Each alarm stands in the page with its file, line, session and reason."""
    text = write(wrong).text
    for line, session, why in alarms(detector.judge(wrong)).select("line", "session", "why").iter_rows():
        assert f"jobs.log:{line}2026-03-02 00:00:{line:02d}job-" in text
        assert f"{why} · session {session}" in text


def test_an_alarm_is_marked_not_only_by_colour(write: Write, wrong: pl.DataFrame) -> None:
    """The alarm's line carries a mark and is bold."""
    assert re.search(r'class="alarm"><b><span class="mark">▶</span>.*?disk on fire', write(wrong).raw)


def test_a_calm_log_says_so(write: Write, normal: pl.DataFrame) -> None:
    """Where nothing is wrong the page says that, and how far that goes."""
    text = write(normal).text
    assert "Nothing looks wrong in 10 sessions." in text
    assert "does not prove that all is well" in text


def test_limits_are_stated(write: Write, wrong: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the page shows less than there is, it says how much less."""
    monkeypatch.setattr(sections, "ROWS", 2)
    monkeypatch.setattr(report, "FINDINGS", 1)
    text = write(wrong).text
    assert "Showing 1 of 3 patterns" in text
    assert "Showing the 2 worst of 4." in text  # the skipped step is told where it was missed, and by the counts


def test_the_page_stays_small_whatever_the_log_holds(
    detector: Detector, jobs: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    """600 alarms of 50 patterns, each of the text that grows most when escaped, stay below 3 MB."""
    lines = jobs(*[("\U000e0041" * 3000,)] * 600)
    key = pl.int_range(pl.len(), dtype=pl.UInt32) % 60
    verdicts = detector.judge(lines).with_columns(key=pl.when(pl.col("key").is_not_null()).then(key))
    path = write_report(tmp_path / "report.html", detector, lines, verdicts)
    assert 500_000 < path.stat().st_size < BYTES


def test_without_held_out_sessions_the_picture_is_left_out(
    write: Write, detector: Detector, normal: pl.DataFrame
) -> None:
    """A detector with nothing held out still makes a report, and says what is missing."""
    page = write(normal, detector=replace(detector, held_out=detector.held_out.clear()))
    assert "img" not in page.tags
    assert "No normal sessions were held out" in page.text


def test_the_picture_is_told_in_words(write: Write, normal: pl.DataFrame) -> None:
    """Who cannot see the chart reads what it shows."""
    told = next(value for key, value in write(normal).attributes if key == "alt")
    assert told.startswith("Step chart of the share of next keys within rank r")


def test_the_bounds_are_told_in_words(write: Write, detector: Detector, normal: pl.DataFrame) -> None:
    """How it was judged names each bound, what it means, and where it comes from."""
    policy = Policy(g=9, probability=0.001, ending=0.01, longer_than=3, source="chosen by hand")
    text = write(normal, detector=replace(detector, policy=policy)).text
    for said in ("below 0.001 (1 in 1,000)", "among the 9 that", "below 0.01 (1 in 100)", "no more than 3 lines"):
        assert said in text
    assert "chosen by hand" in text


def test_a_log_without_times_makes_a_report(write: Write, wrong: pl.DataFrame) -> None:
    """Where lines carry no time, the page says so and leaves the times out."""
    text = write(wrong.with_columns(time=pl.lit(None, pl.Datetime("us")))).text
    assert "The log states no times." in text
    assert "None" not in text


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_opens_it_offline(
    browser: Any, detector: Detector, hostile: pl.DataFrame, tmp_path: Path, width: int
) -> None:
    """As a file and offline the page asks for nothing, complains of nothing, fits the screen and shows its verdict."""
    path = write_report(tmp_path / "report.html", detector, hostile, detector.judge(hostile))
    page = browser.new_context(offline=True, viewport={"width": width, "height": 800}).new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    assert ([url for url in asked[1:] if not url.startswith("data:")], said) == ([], [])
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "700"
    assert page.evaluate("document.querySelector('img').naturalWidth") > 0
