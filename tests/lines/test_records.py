"""Fields, years, continuations and flags, on a few lines at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from deeplog_nb.lines.detection import detect
from deeplog_nb.lines.folding import Above, mark
from deeplog_nb.lines.json_fields import json_columns
from deeplog_nb.lines.layouts import Layout, layout_named
from deeplog_nb.lines.records import Before, cut, last_of, to_records


def records(layout: str | Layout, *texts: str, before: Before = Before(2026)) -> pl.DataFrame:  # noqa: B008 frozen
    layout = layout_named(layout) if isinstance(layout, str) else layout
    lines = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_columns(
        offset=pl.lit(0, pl.UInt64), length=pl.lit(1, pl.UInt64), recoded=False, cut=False, damaged=False, lone_cr=False
    )
    return to_records(mark(cut(lines, layout), Above(), 1000), layout, before)


def syslog(*dates: str, before: Before = Before(2026)) -> list[str]:  # noqa: B008 frozen
    times = records("syslog", *(f"{date} gate su: ok" for date in dates), before=before)["time"]
    return [str(time.date()) for time in times]


def test_fields_are_cut_out_of_a_line() -> None:
    """Time, level, source and message are columns; so is every other group."""
    row = records("hdfs", "260302 101500 21 INFO dfs.A: Got block").row(0, named=True)
    assert row["time"] == datetime(2026, 3, 2, 10, 15)
    assert (row["level"], row["source"], row["message"], row["pid"]) == ("INFO", "dfs.A", "Got block", "21")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02T10:15:00Z x", datetime(2026, 3, 2, 10, 15)),
        ("2026-03-02 10:15:00,5 x", datetime(2026, 3, 2, 10, 15, 0, 500_000)),
        ("2026-03-02T10:15:00+02:00 x", datetime(2026, 3, 2, 8, 15)),
        ("[2026-03-02 10:15:00-0130] ERROR a: x", datetime(2026, 3, 2, 11, 45)),
    ],
)
def test_times_come_out_in_utc(text: str, time: datetime) -> None:
    """Fractions, offsets and separators are read; what states no offset is taken as it stands."""
    assert records("iso", text)["time"].to_list() == [time]


@pytest.mark.parametrize("time", ["0000-01-01 00:00:00", "2026-02-30 10:00:00", "9999-12-31 23:59:59-05:00"])
def test_a_time_that_cannot_be_leaves_the_line_unmatched(time: str) -> None:
    """No such day, or none that Python can hold: the whole line is kept as the message."""
    assert records("iso", f"{time} x").select("time", "message", "matched").row(0) == (None, f"{time} x", False)


def test_a_fall_back_by_half_a_year_is_new_year() -> None:
    """December to January begins the next year; a small step back does not."""
    assert syslog("Dec 31 23:59:59", "Jan  1 00:00:00") == ["2026-12-31", "2027-01-01"]
    assert syslog("Mar  2 10:00:00", "Mar  1 10:00:00") == ["2026-03-02", "2026-03-01"]


def test_a_late_line_at_new_year_keeps_its_year() -> None:
    """It is from before the New Year, whether a block ends there or not, and the clock is said to run back."""
    dates = ["Dec 31 23:59:58", "Jan  1 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01"]
    found, before = records("syslog", *(f"{date} gate su: ok" for date in dates), before=Before(2025)), Before(2025)
    assert found["time"].dt.year().to_list() == [2025, 2026, 2025, 2026]
    assert found["flags"].list.contains("clock_back").to_list() == [False, False, True, False]
    for date, year in zip(dates, (2025, 2026, 2025, 2026), strict=True):
        before = last_of(records("syslog", f"{date} gate su: ok", before=before), before)
        assert before.year == year


def test_new_year_is_seen_across_blocks() -> None:
    """The block after one that ended in December begins in the next year."""
    before = last_of(records("syslog", "Dec 31 23:59:59 gate su: ok"), Before(2026))
    assert syslog("Jan  1 00:00:00", before=before) == ["2027-01-01"]


def test_a_log_without_years_does_not_begin_after_its_file_was_written() -> None:
    """A file of 3 January that begins in December began last year; a year that is told is kept."""
    dates = ("Dec 28 10:00:00", "Jan  2 10:00:00")
    assert syslog(*dates, before=Before(2026, latest=datetime(2026, 1, 3))) == ["2025-12-28", "2026-01-02"]
    assert syslog(*dates, before=Before(2026)) == ["2026-12-28", "2027-01-02"]


@pytest.mark.parametrize(("year", "day"), [(2024, "2024-02-29"), (2026, "2026-02-28"), (2000, "2000-02-29")])
def test_29_february_is_28_where_the_year_has_none(year: int, day: str) -> None:
    """Our inference of the year may be wrong; the line is read all the same."""
    assert syslog("Feb 29 10:00:00", before=Before(year)) == [day]


def test_stack_traces_fold_into_the_record_above() -> None:
    """Indented lines and causes belong to the record before them, and are counted."""
    found = records("iso", "2026-03-02 10:15:00 ERROR a: boom", "  at b.c", "Caused by: d", "2026-03-02 10:15:01 e")
    assert found["message"].to_list() == ["boom\n  at b.c\nCaused by: d", "e"]
    assert found.select("line", "physical").rows() == [(1, 3), (4, 1)]
    assert found["flags"].to_list() == [["folded"], []]


def test_continuations_of_nothing_stay_lines_of_their_own() -> None:
    """A file that begins in the middle of a stack trace loses none of it."""
    assert records("iso", "  at b.c", "  at d.e")["message"].to_list() == ["  at b.c", "  at d.e"]


def test_a_clock_that_ran_back_is_flagged() -> None:
    """The record after the fall is flagged, and nothing is reordered."""
    found = records("iso", "2026-03-02 10:15:02 a", "2026-03-02 10:15:01 b", "2026-03-02 10:15:01 c")
    assert found["flags"].to_list() == [[], ["clock_back"], []]


def test_an_inferred_year_is_flagged() -> None:
    """What the log does not state is said to be inferred."""
    assert records("syslog", "Mar  2 10:15:00 gate su: ok", "###")["flags"].to_list() == [["year_inferred"], []]


@pytest.mark.parametrize("number", ["1772446500.25", "1772446500250", "1772446500250000", "1772446500250000000"])
def test_json_times_are_read_in_any_unit(number: str) -> None:
    """Seconds, milli-, micro- and nanoseconds since 1970 are told by their size."""
    found = records("json", f'{{"ts": {number}, "msg": "x"}}')
    assert found["time"].to_list() == [datetime(2026, 3, 2, 10, 15, 0, 250_000)]


@pytest.mark.parametrize("time", ['"nan"', '"inf"', "1e300", "-1e300", "null", "true", "{}", '"soon"'])
def test_a_json_record_without_a_readable_time_is_kept(time: str) -> None:
    """What is no time is no reason to stop."""
    found = records("json", f'{{"ts": {time}, "msg": "x"}}')
    assert found.select("time", "message", "matched").row(0) == (None, "x", True)


@pytest.mark.parametrize("text", ['{"msg": "x"', "[1, 2]", "broken", '{"other": 1}', '{"msg": null}', "[" * 3000])
def test_a_json_line_that_is_no_record_is_kept_whole(text: str) -> None:
    """Broken lines and lines without a message come out as they stand."""
    assert records("json", text).select("message", "matched").row(0) == (text, False)


def test_json_columns_leave_our_own_names_alone() -> None:
    """A field called as one of our columns does not push it aside, and is kept beside it."""
    text = '{"msg": "x", "user": "ana", "key": 7, "recoded": "yes", "physical": 3}'
    assert json_columns(pl.Series([text]), layout_named("json")) == [
        "json_key",
        "json_physical",
        "json_recoded",
        "user",
    ]
    found = records(replace(layout_named("json"), columns=["json_key", "user"]), text).row(0, named=True)
    assert (found["json_key"], found["user"]) == ("7", "ana")


def test_the_last_line_of_a_traceback_folds_too() -> None:
    """It stands at the margin, and is the most telling of all."""
    trace = ("Traceback (most recent call last):", "  File a", "OSError: reset")
    found = records("iso", "2026-03-02 10:15:00 ERROR failed", *trace)
    assert found["message"].to_list() == ["failed\n" + "\n".join(trace)]


TRACES = {
    "spring": "\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:7)\n",
    "chained": "Traceback (most recent call last):\n  File a\nKeyError: 7\n\nDuring handling of the above exception, "
    "another exception occurred:\n\nTraceback (most recent call last):\n    x()\nrequests.exceptions.Timeout: slow\n",
    "cause": "    x()\nsocket.timeout\n\nThe above exception was the direct cause of the following exception:",
    "go": "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/main.go:7 +0x1d\nnet/http.(*conn).serve(0xc0)\n"
    "\t/b.go:8\ncreated by net/http.(*Server).Serve in goroutine 1\n\t/c.go:9\nexit status 2",
    "dotnet": "Unhandled exception. System.Exception: x\n   at A.B()\n--- End of stack trace from here ---",
}


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_traces_fold_whole(trace: str) -> None:
    """With blank lines in, before and behind them, in Java, Python, Go and .NET; and they tell no layout."""
    record = "2026-03-02 10:15:00 ERROR failed"
    found = records("iso", record, *trace.split("\n"), record, "", record)
    assert found["message"].to_list() == [f"failed\n{trace}", "failed", "", "failed"]
    assert detect([record, *trace.split("\n")] * 3).share == 1.0


def test_a_name_folds_only_under_an_indented_line() -> None:
    """Any word may be the name of a Python exception; blank lines alone fold nowhere."""
    assert records("iso", "2026-03-02 10:15:00 a", "a.B: 7", "", "", "done")["physical"].to_list() == [1] * 5


def test_a_container_folds_what_its_messages_continue() -> None:
    """Docker and CRI write every line of a stack trace as a record, and a long line in parts."""
    said = ["boom", "java.lang.Error: x", "\tat a.B", "Caused by: y", "fine"]
    docker = [
        f'{{"log":{json.dumps(each + chr(10))},"stream":"stderr","time":"2026-03-02T10:15:00Z"}}' for each in said
    ]
    assert records("docker", *docker)["message"].to_list() == ["\n".join(said[:4]), "fine"]
    cri = [f"2026-03-02T10:15:00Z stderr {each}" for each in ("P one ", "P very ", "F long", "F \tat a.B", "F two")]
    assert records("cri", *cri)["message"].to_list() == ["one very long\n\tat a.B", "two"]
