"""Is this log one to learn from: the figures and the sentence."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.verdicts.suitability import suitability


def events(keys):
    start = datetime(2026, 3, 2, 8)
    times = [start + timedelta(minutes=at) for at in range(len(keys))]
    return pl.DataFrame({"key": keys, "time": times}).with_columns(pl.col("key").cast(pl.UInt32))


def test_a_steady_log_fits():
    """All keys come early, none is new later."""
    found = suitability(events([1, 2, 3] * 40))
    assert found.verdict.startswith("fit: 3 keys")
    assert (found.singletons, found.coverage) == (0.0, 1.0)
    assert found.growth["keys"].to_list() == [3] * 10


def test_a_log_that_goes_on_growing_does_not():
    """Half of its keys come in the second half only."""
    found = suitability(events(list(range(1, 101))))
    assert found.verdict.startswith("not yet: 50 of 100 keys")
    assert found.singletons == 1.0
    assert found.coverage == 0.0


def test_an_hour_full_of_news_says_retrain():
    """The last hour is another program; every hour has its unseen share."""
    found = suitability(events([1, 2, 3, 4, 5] * 40 + [6] * 20))
    assert found.hours["retrain"].to_list() == [False, False, False, True]
    assert found.hours["unseen"][-1] == pytest.approx(20 / 40)
    assert found.verdict == ("retrain now and then: in 1 of 4 hours too much is new to what the first half taught")


def test_a_model_that_loses_its_grip_says_retrain(ranks):
    """Ranks with times tell the share among the g most probable, hour by hour."""
    log = events([1, 2] * 60)
    ranked = ranks(*[("a", 1, 1 if at < 60 else 12, 0.5) for at in range(120)]).with_columns(time=log["time"])
    found = suitability(log, ranks=ranked)
    assert found.hours["covered"].to_list() == [1.0, 0.0]
    assert found.hours["retrain"].to_list() == [False, True]


def test_sessions_per_key_are_counted(sessions):
    """Key 2 is in both sessions, key 3 in one."""
    found = suitability(events([1, 2, 2, 3]), sessions=sessions([1, 2], [2, 3]))
    assert found.keys.rows() == [(1, 1, 1), (2, 2, 2), (3, 1, 1)]


def test_nothing_is_no_log():
    """An empty frame says what to do."""
    with pytest.raises(InputError, match="no events"):
        suitability(events([1]).clear())
