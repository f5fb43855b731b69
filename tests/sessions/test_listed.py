"""Sessions from lists of keys."""

import polars as pl
import pytest

from deeplog_nb.frames import SESSIONS, FrameError, check
from deeplog_nb.sessions.listed import as_sessions


def test_each_key_is_a_row_of_its_session():
    """Positions count from 0; a session stands for itself alone and is over where nothing else is said."""
    found = check(as_sessions(pl.DataFrame({"session": ["a", "b"], "keys": [[7, 8], [7]]})), SESSIONS, "sessions")
    assert found.rows() == [("a", 0, 7, 1, False), ("a", 1, 8, 1, False), ("b", 0, 7, 1, False)]


def test_counts_and_open_ends_are_kept():
    """Where there are such columns."""
    listed = pl.DataFrame({"session": ["a"], "keys": [[7, 8]], "count": [9], "open": [True]})
    assert as_sessions(listed).select("count", "open").rows() == [(9, True)] * 2


def test_a_session_without_keys_has_no_row():
    """Nor has a frame without sessions; both keep the contract."""
    schema = {"session": pl.String, "keys": pl.List(pl.Int64)}
    for rows in ([("a", [])], []):
        assert check(as_sessions(pl.DataFrame(rows, schema=schema, orient="row")), SESSIONS, "sessions").is_empty()


def test_names_that_are_no_texts_are_refused():
    """By the contract."""
    with pytest.raises(FrameError, match="session is Int64"):
        as_sessions(pl.DataFrame({"session": [1], "keys": [[7]]}))
