"""Series: each key's vectors in the order of the log, over it all or within a session."""

import numpy as np
import polars as pl
import pytest

from deeplog_nb.sessions.parameters import parameters
from deeplog_nb.sessions.series import ANY, Groups, layout, resolutions, runs, vectors


@pytest.fixture
def sessions() -> pl.DataFrame:
    """Two sessions that interleave: in the log's order a0 b0 a1 b1."""
    told = {
        "session": ["a", "a", "b", "b"],
        "position": [0, 1, 0, 1],
        "key": [1, 2, 1, 2],
        "elapsed": [None, 2.0, None, 4.0],
    }
    times = pl.Series([0, 2, 1, 5]).cast(pl.Datetime("us"))
    values = [[], ["1.5 s"], [], ["500 ms"]]
    whole = pl.DataFrame(told).with_columns(
        count=1, open=False, time=times, parameters=pl.Series(values, dtype=pl.List(pl.String))
    )
    return whole.cast({"position": pl.UInt32, "key": pl.UInt32, "count": pl.UInt32})


@pytest.fixture
def found(sessions):
    return vectors(sessions, layout(parameters(sessions)))


def test_vectors_hold_the_wait_and_the_numbers_in_one_unit(found):
    """Position 0 is elapsed; 1.5 s are 1,500 ms; what is not there is no number."""
    assert found.values[:, 0].tolist()[1::2] == [2.0, 4.0]
    assert np.isnan(found.values[[0, 2]]).all()
    assert found.values[[1, 3], 1].tolist() == [1500.0, 500.0]
    assert found.before.tolist() == [0, 1, 0, 1]


def test_the_order_is_the_logs(found):
    """By time, not session after session."""
    assert found.order.tolist() == [0, 2, 1, 3]


def test_the_order_of_one_time_is_that_of_the_lines(sessions):
    """A clock that shows seconds says little: then the lines tell; without a time an entry is below the one above."""
    lines = sessions.with_columns(line=pl.Series([1, 3, 2, 4]), file=pl.lit("x"))
    for times in ([7, 7, 7, 7], [7, None, 7, None], [None, 7, None, 7]):
        told = vectors(lines.with_columns(time=pl.Series(times).cast(pl.Datetime("us"))), layout(parameters(sessions)))
        assert told.order.tolist() == [0, 2, 1, 3]


def test_a_run_goes_on_over_the_log_or_ends_with_its_session(found):
    """Over the log the second session's entry has the first one's in its history; by session it has none."""
    numbers = np.array([-1, 0, -1, 0])
    over_log, log_starts = runs(found, numbers, "log")
    by_session, session_starts = runs(found, numbers, "session")
    assert (over_log.tolist(), log_starts.tolist()) == ([1, 3], [0, 0])
    assert (by_session.tolist(), session_starts.tolist()) == ([1, 3], [0, 1])


def test_sorts_are_found_exactly_or_with_any_key_before():
    """An exact match goes first; what no sort knows has no number; no sorts know nothing."""
    sorts = Groups(np.array([2, 2, 7]), np.array([1, ANY, 3]))
    assert sorts.numbers(np.array([2, 2, 7, 7]), np.array([1, 9, 3, 1])).tolist() == [0, 1, 2, -1]
    assert sorts.kept(np.array([False] * 3)).numbers(np.array([2]), np.array([1])).tolist() == [-1]
    assert sorts.loose.before.tolist() == [ANY, ANY]


def test_resolution_is_the_smallest_step(found):
    """Waits of 2 and 4 s tell 2 s apart; the stated values 1,000 ms."""
    assert resolutions(found, np.array([2])).tolist() == [[2.0, 1000.0]]
