"""Sessions from arrays: keys end to end and where each session begins."""

import numpy as np
import polars as pl
import pytest

from deeplog_nb.frames import RULES, SESSIONS, VERDICTS, InputError, check
from deeplog_nb.sessions.flat import from_keys

KEYS = [[1, 2], [3], [1, 2], [2, 1], [3]]


def flat(*sequences, dtype=np.uint8):
    offsets = np.cumsum([0, *map(len, sequences)])
    return from_keys(np.array([key for keys in sequences for key in keys], dtype), offsets)


def judged(sessions, *names):
    """Verdicts with an alarm on the sessions of these names."""
    rows = sessions.with_columns(anomalous=pl.col("session").is_in(names))
    given = [pl.lit(False).alias(rule) for rule in RULES]
    rest = [pl.lit(None, kind).alias(name) for name, kind in VERDICTS.items() if name not in (*rows.columns, *RULES)]
    return rows.with_columns(given).with_columns(rest)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint32], ids=str)
def test_identical_sessions_are_one_with_a_count(dtype):
    """In the order in which each came first; order of keys matters."""
    sessions = check(flat(*KEYS, dtype=dtype).sessions, SESSIONS, "sessions")
    assert sessions.select("session", "position", "key", "count").rows() == [
        ("0", 0, 1, 2), ("0", 1, 2, 2), ("1", 0, 3, 2), ("3", 0, 2, 1), ("3", 1, 1, 1)
    ]  # fmt: skip


def test_every_session_gets_the_verdict_of_its_sequence():
    """One alarm on the sequence [3] is an alarm on both sessions that have it."""
    found = flat(*KEYS)
    assert found.anomalous(judged(found.sessions, "1")).tolist() == [False, True, False, False, True]


def test_no_session_is_no_verdict():
    """Empty in, empty out."""
    found = from_keys(np.empty(0, np.uint8), np.array([0]))
    assert found.sessions.is_empty()
    assert found.anomalous(judged(found.sessions)).tolist() == []


def test_verdicts_of_other_sessions_are_refused():
    """A session without a verdict is not called normal."""
    found = flat(*KEYS)
    with pytest.raises(InputError, match="lack some"):
        found.anomalous(judged(found.sessions).head(2))


@pytest.mark.parametrize(
    ("keys", "offsets", "said"),
    [
        ([1, 2], [0, 1], "end with the number of keys, 2"),
        ([1, 2], [1, 2], "begin with 0"),
        ([1, 2], [], "begin with 0"),
        ([1, 2], [0, 1, 1, 2], "session 1 holds no key"),
        ([1, 2], [0, 2, 1, 2], "session 1 holds no key"),
        ([1, -2], [0, 2], "a key is -2"),
        ([1.5, 2.0], [0, 2], "whole numbers"),
        ([[1, 2]], [0, 2], "one axis"),
    ],
    ids=str,
)
def test_what_is_no_list_of_sessions_is_refused(keys, offsets, said):
    """And the message says where."""
    with pytest.raises(InputError, match=said):
        from_keys(np.array(keys), np.array(offsets, np.int64))
