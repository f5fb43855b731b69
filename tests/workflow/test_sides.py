from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

import deeplog_nb as dl
from deeplog_nb.frames import SESSIONS, FrameError, InputError
from deeplog_nb.workflow.compare import compare
from deeplog_nb.workflow.sides import sides

EVENTS = {"file": pl.Categorical(), "time": pl.Datetime("us"), "key": pl.UInt32()}
ONE = pl.DataFrame([("s", 0, 1, 1, False)], schema=dict(SESSIONS), orient="row")


def events(*files: int, key: int = 1) -> pl.DataFrame:
    """Files of so many lines, a second each."""
    rows = [(f"{name}.log", datetime(2026, 3, 2) + timedelta(seconds=n), key) for name in files for n in range(name)]
    return pl.DataFrame(rows, schema=EVENTS, orient="row")


@pytest.mark.parametrize(("normal", "suspect"), [(ONE, events(9)), (events(9), ONE)])
def test_sessions_and_events_are_not_compared(normal: pl.DataFrame, suspect: pl.DataFrame) -> None:
    """The refusal says which is which, and what to give."""
    with pytest.raises(InputError, match=r"is (SESSIONS|EVENTS) and suspect is (SESSIONS|EVENTS); give both as"):
        compare(normal, suspect)


@pytest.mark.parametrize(
    ("came", "said"),
    [("a.log", "normal: an object of type str came"), (ONE.lazy(), r"a LazyFrame came; .*collect\(\)")],
)
def test_what_is_no_frame_is_refused(came: object, said: str) -> None:
    """A path, or a frame that is not collected: what came and what is wanted."""
    with pytest.raises(InputError, match=said):
        compare(came, ONE)  # type: ignore[arg-type]


def templates(*messages: str) -> tuple[dl.Templates, pl.DataFrame]:
    lines = pl.DataFrame({"message": [each.format(n) for each in messages for n in range(30)]})
    store = dl.Spell().fit(lines.with_columns(line=pl.int_range(1, 1 + pl.len(), dtype=pl.UInt64)))
    return store, store.parse(lines).select("key", "parameters")


def test_keys_of_other_templates_are_refused() -> None:
    """A key that the templates have not, and one with more parameters than they have places for."""
    one, parsed = templates("served request {} now", "closed the connection")
    with pytest.raises(InputError, match="suspect: key 9 is none of these 2 templates"):
        compare(parsed, events(5, key=9), templates=one)
    with pytest.raises(InputError, match="normal: key 1 has 1 parameters, and in these templates 0"):
        compare(parsed, parsed, templates=templates("closed the connection", "opened it at once")[0])
    with pytest.raises(InputError, match="templates: an object of type str came"):
        compare(parsed, parsed, templates="t.json")  # type: ignore[arg-type]
    assert compare(parsed, parsed, templates=one).is_empty()


def test_windows_run_on_from_file_to_file() -> None:
    """What is left over is of the last window; a file's first line has waited for nothing."""
    found = sides(events(30, 90, 140), events(99), None)
    entries = found.entries.filter(~pl.col("side"))
    assert found.sizes == (2, 1)
    assert entries.group_by("session").len().sort("session")["len"].to_list() == [100, 160]
    assert entries["elapsed"].null_count() == 3


def test_sessions_that_are_whole_files_are_read_as_their_events_are() -> None:
    """A detector without ids gives such sessions; one session against one would tell nothing."""
    as_sessions = dl.sessionize(events(300))
    assert sides(as_sessions, events(300), None).unit == "window"
    assert sides(as_sessions, as_sessions, None).sizes == (3, 3)
    assert sides(as_sessions, ONE, None).unit == "session"


def test_a_clock_that_ran_back_has_measured_no_wait() -> None:
    """The wait before a line that is earlier than the one above it is not known."""
    back = events(3).with_columns(time=pl.col("time").reverse())
    assert sides(back, back, None).entries["elapsed"].null_count() == 6


def test_times_of_another_type_are_refused() -> None:
    """A column of texts is no time."""
    with pytest.raises(FrameError, match="normal: time is String"):
        compare(events(3).with_columns(time=pl.lit("now")), events(3))
