"""The gate of an update: what it refuses, what it counts, and which rows it asks about."""

import polars as pl
import pytest

from deeplog_nb.frames import SESSIONS, FrameError
from deeplog_nb.models.gate import gated


def rows(*entries: tuple[str, int, int]) -> pl.DataFrame:
    """SESSIONS of (session, position, key)."""
    return pl.DataFrame([(*each, 1, False) for each in entries], schema=dict(SESSIONS), orient="row")


def over(bound: int, sessions: pl.DataFrame) -> pl.DataFrame:
    """A model that is a number, and flags the keys above it."""
    return sessions.select("session", "position", "key", flagged=pl.col("key") > bound)


NORMAL = rows(("n", 0, 3), ("n", 1, 4), ("n", 2, 9))


def test_an_update_clears_what_was_declared():
    """Keys 3 and 4 are flagged no more; of rows that were not meant nothing is counted."""
    assert gated(2, 5, over, NORMAL).changes.rows() == [("cleared", "n", 0, 3), ("cleared", "n", 1, 4)]
    meant = NORMAL.with_columns(learn=pl.col("key") == 4)
    assert gated(2, 5, over, meant).changes.rows() == [("cleared", "n", 1, 4)]


def test_a_lost_canary_refuses_the_update():
    """The old model comes back, and the row that would be lost is named."""
    update = gated(2, 5, over, NORMAL, canaries=rows(("c", 0, 5)))
    assert (update.model, update.accepted) == (2, False)
    assert update.changes.filter(pl.col("change") == "lost").rows() == [("lost", "c", 0, 5)]
    assert "1 of the canaries' sessions" in str(update.refused)


def test_one_alarm_a_canary_must_stay_unless_rows_are_named():
    """Key 9 stays flagged, which is enough; where key 5 is the anomaly it is not."""
    canary = rows(("c", 0, 5), ("c", 1, 9))
    assert gated(2, 5, over, NORMAL, canaries=canary).accepted
    named = canary.with_columns(anomalous=pl.col("key") == 5)
    assert gated(2, 5, over, NORMAL, canaries=named).count("lost") == 1


def test_a_canary_that_was_never_flagged_cannot_be_lost():
    """The old model did not see it either."""
    assert gated(2, 5, over, NORMAL, canaries=rows(("c", 0, 1))).accepted


def test_more_alarms_on_held_out_sessions_refuse_the_update():
    """A model that flags less of what was declared, and more elsewhere, is not taken."""
    update = gated(5, 2, over, NORMAL, holdout=rows(("h", 0, 4), ("h", 1, 9)))
    assert (update.model, update.count("new")) == (5, 1)
    assert update.refused == "2 held-out normal entries would be flagged, and 1 were"


def test_a_mark_is_true_or_false():
    """A column with nulls is refused by its name."""
    with pytest.raises(FrameError, match="learn"):
        gated(2, 5, over, NORMAL.with_columns(learn=pl.lit(None, pl.Boolean)))
