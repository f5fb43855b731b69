from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from deeplog_nb.case.findings import ABSENT, Finding, findings
from deeplog_nb.case.words import ENDS, headline
from deeplog_nb.detector import Cut, Detector
from deeplog_nb.frames import FrameError

STEPS = ("starting up", "reading input", "writing output", "shutting down")


@pytest.fixture(scope="module")
def found(detector: Detector, wrong: pl.DataFrame) -> list[Finding]:
    return findings(detector, wrong, detector.judge(wrong))


def test_each_finding_says_what_happened(found: list[Finding]) -> None:
    """The three things that went wrong are three findings, each told in one sentence, the worst first."""
    assert [(f.rule, f.session, f.sessions, f.title) for f in found] == [
        ("unseen", "job-1", 1, "Message never seen in training: ‘disk on fire’"),
        ("unlikely", "job-2", 1, "Expected ‘reading input’ (> 99 %), came ‘writing output’"),
        ("ended_early", "job-3", 1, "Ended after ‘reading input’; expected ‘writing output’ (> 99 %)"),
    ]


def test_a_finding_is_traced_to_file_line_and_time(found: list[Finding]) -> None:
    """Where to look in the raw log stands in each finding."""
    assert [(f.file, f.line, str(f.time)) for f in found] == [
        ("/var/log/jobs.log", 7, "2026-03-02 00:00:07"),
        ("/var/log/jobs.log", 11, "2026-03-02 00:00:11"),
        ("/var/log/jobs.log", 14, "2026-03-02 00:00:14"),
    ]


def test_context_is_the_sessions_own_lines(detector: Detector, wrong: pl.DataFrame) -> None:
    """Lines of other sessions that stand between are not shown, however the sessions are interleaved."""
    mixed = wrong.with_columns(_turn=pl.int_range(pl.len()).over(pl.col("message").str.slice(0, 5)))
    mixed = mixed.sort("_turn", maintain_order=True).with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.UInt64))
    mixed = mixed.with_columns(time=pl.col("time").sort()).drop("_turn")
    worst = findings(detector, mixed, detector.judge(mixed))[0]
    assert [(n.line, n.message, n.is_alarm) for n in worst.context] == [
        (2, "job-1 starting up", False),
        (12, "job-1 reading input", False),
        (22, "job-1 disk on fire", True),
        (31, "job-1 writing output", False),
        (38, "job-1 shutting down", False),
    ]


def test_an_early_end_is_marked_at_its_last_line(found: list[Finding]) -> None:
    """Where a session ended early, the alarm's line is the last that came."""
    assert [(n.message, n.is_alarm) for n in found[2].context] == [
        ("job-3 starting up", False),
        ("job-3 reading input", True),
    ]


def test_context_is_as_long_as_asked_for(detector: Detector, wrong: pl.DataFrame) -> None:
    """One line before the alarm, and two after it."""
    worst = findings(detector, wrong, detector.judge(wrong), context=1, most=1)[0]
    assert [n.line for n in worst.context] == [6, 7, 8, 9]


def test_expected_is_what_the_detector_expects(detector: Detector, wrong: pl.DataFrame) -> None:
    """The list of what was expected is the detector's own, for any place in a session."""
    verdicts = detector.judge(wrong)
    for found in findings(detector, wrong, verdicts):
        position = verdicts.filter("anomalous", session=found.session)["position"][0]
        expected = detector.expected(verdicts, str(found.session), position)
        assert [e.template for e in found.expected] == expected["template"].to_list()


def test_a_line_in_no_session_stands_among_its_neighbours(detector: Detector, wrong: pl.DataFrame) -> None:
    """Where a line names no session, what is around it in the file is shown, and nothing is expected."""
    alone = wrong.with_columns(message=pl.when(line=20).then(pl.lit("power lost")).otherwise("message"))
    found = next(f for f in findings(detector, alone, detector.judge(alone)) if f.session is None)
    assert found.title == "Message never seen in training: ‘power lost’"
    assert [n.line for n in found.context] == [17, 18, 19, 20, 21, 22]
    assert ([n.is_alarm for n in found.context].index(True), found.expected) == (3, ())


def test_neighbours_do_not_cross_into_another_file(
    detector: Detector, jobs: Callable[..., pl.DataFrame], wrong: pl.DataFrame
) -> None:
    """The first line of a file has no lines before it, although another file was read before."""
    alone = wrong.with_columns(message=pl.when(line=1).then(pl.lit("power lost")).otherwise("message"))
    both = pl.concat([jobs(STEPS, file="/var/log/before.log"), alone])
    found = next(f for f in findings(detector, both, detector.judge(both)) if f.session is None)
    assert [(n.file, n.line) for n in found.context] == [("/var/log/jobs.log", n) for n in (1, 2, 3)]


def test_lines_that_were_left_out_are_said_to_be_missing(detector: Detector, wrong: pl.DataFrame) -> None:
    """A line that the caller did not hand over is named as such, not dropped."""
    worst = findings(detector, wrong.filter(pl.col("line") != 6), detector.judge(wrong))[0]
    assert [n.message for n in worst.context][:3] == ["job-1 starting up", ABSENT, "job-1 disk on fire"]


def test_the_headline_counts_sessions_or_lines(detector: Detector, wrong: pl.DataFrame) -> None:
    """Sessions are counted where the log has them, lines where each file is one."""
    verdicts = detector.judge(wrong)
    assert headline(detector, verdicts) == "3 of 10 sessions look wrong."
    assert headline(replace(detector, cut=Cut()), verdicts) == "2 of 38 lines look wrong."


def test_the_end_is_called_as_the_detector_calls_it(detector: Detector, normal: pl.DataFrame) -> None:
    """A title tells the end of a session from a message by the detector's own words for it."""
    assert detector.expected(detector.judge(normal), "job-0", 4)["template"][0] == ENDS


def test_verdicts_without_places_are_refused(detector: Detector, wrong: pl.DataFrame) -> None:
    """Verdicts that cannot be traced to a line make no finding, but an error that names the columns."""
    with pytest.raises(FrameError, match=r"missing columns file .*, line"):
        findings(detector, wrong, detector.judge(wrong).drop("file", "line"))
