"""One log as its own normal part."""

from datetime import datetime

import polars as pl
import pytest

from deeplog_nb.frames import FrameError, InputError
from deeplog_nb.sessions.halves import first_half, second_half

LINES = pl.DataFrame(
    {"file": ["x"] * 4, "line": [1, 2, 3, 4], "time": [datetime(2026, 3, 2, hour) for hour in (0, 1, 2, 10)]}
)
JUDGED = pl.DataFrame({"file": ["x"] * 4, "line": [1, 2, 3, 4], "session": ["a", "b", None, "b"]})


def test_the_first_half_is_half_of_the_time_not_of_the_lines():
    """Three of four lines lie in the first five of ten hours."""
    assert first_half(LINES)["line"].to_list() == [1, 2, 3]


def test_without_a_time_it_is_half_of_the_lines():
    """A log whose lines state no time is halved by its lines."""
    assert first_half(LINES.drop("time"))["line"].to_list() == [1, 2]


def test_a_line_without_a_time_goes_with_the_one_above_it():
    """One banner in the log does not change how the others are halved."""
    banner = LINES.with_columns(time=pl.when(pl.col("line") != 3).then("time"))
    assert first_half(banner)["line"].to_list() == [1, 2, 3]


def test_a_session_that_goes_on_is_judged_whole():
    """Session b began in the first half and ended in the second: both its rows stay; a and the loose line go."""
    assert second_half(JUDGED, LINES.head(3))["line"].to_list() == [2, 4]


def test_a_loose_line_of_the_second_half_stays():
    """A line in no session is judged if it lies in the second half."""
    assert second_half(JUDGED, LINES.head(2))["line"].to_list() == [2, 3, 4]


def test_a_file_that_is_one_session_is_cut_at_the_line():
    """Where sessions are whole files, only the rows outside the first half are judged."""
    assert second_half(JUDGED, LINES.head(3), whole_sessions=False)["line"].to_list() == [4]


@pytest.mark.parametrize(("given", "said"), [("app.log", r"dl\.read\(path\) gives one"), (LINES.lazy(), "collect")])
def test_what_is_no_lines_has_no_half(given, said):
    """A path is to be read first, a lazy frame to be collected."""
    with pytest.raises(FrameError, match=said):
        first_half(given)


@pytest.mark.parametrize("share", [0, 1, -0.5, 7])
def test_a_share_that_is_none_is_refused(share):
    """The share lies between 0 and 1."""
    with pytest.raises(InputError, match="share"):
        first_half(LINES, share)
