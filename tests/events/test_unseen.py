"""What fits no template, over time."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from deeplog_nb.events.unseen import Unseen
from deeplog_nb.frames import FrameError, InputError


def counted(*messages: str, every: str = "1h") -> Unseen:
    """The messages come half an hour apart, and only ``fine`` is known."""
    times = [datetime(2026, 1, 1, at // 2, 30 * (at % 2)) for at in range(len(messages))]
    lines = pl.DataFrame({"time": times, "message": messages}, schema={"time": pl.Datetime("us"), "message": pl.String})
    return Spell().fit(pl.DataFrame({"message": ["fine 1"]})).unseen(lines, every=every)


def test_unseen_lines_are_counted_by_span() -> None:
    """Lines, those unseen, and how many shapes they have; spans without an unseen line count too."""
    found = counted("fine 1", "fine 2", "oops 1", "oops 2", "oh", "fine 3")
    assert found.over_time.drop("time").rows() == [(2, 0, 0), (2, 2, 1), (2, 1, 1)]
    assert repr(found) == "Unseen(3 of 6 lines in 2 shapes)"


def test_the_most_frequent_shapes_come_first() -> None:
    """With a message as it came."""
    found = counted("oh", "oops 1", "oops 2", every="1d").shapes
    assert found.drop("first").rows() == [("oops <*>", 2, "oops 1"), ("oh", 1, "oh")]


def test_lines_without_time_are_a_span_of_their_own() -> None:
    """They come last, and are counted."""
    lines = pl.DataFrame({"time": [None], "message": ["oh"]}, schema={"time": pl.Datetime("us"), "message": pl.String})
    assert Spell().fit(lines.clear()).unseen(lines).over_time.rows() == [(None, 1, 1, 1)]


def test_no_lines_have_no_spans() -> None:
    """An empty log is not an error."""
    assert len(counted().over_time) == 0


def test_events_are_not_parsed_again() -> None:
    """What their key says is taken."""
    events = pl.DataFrame({"message": ["fine"], "key": [0]}, schema_overrides={"key": pl.UInt32})
    timed = events.with_columns(time=pl.lit(None, pl.Datetime("us")))
    assert Spell().fit(events).unseen(timed).over_time["unseen"].to_list() == [1]


def test_what_is_no_span_is_refused() -> None:
    """The error says how spans are written; a frame without time is named as such."""
    with pytest.raises(InputError, match="give a span of time as 5m, 1h or 1d"):
        counted("oh", every="often")
    with pytest.raises(InputError, match="give a span of time as 5m, 1h or 1d"):
        counted("oh", every="0h")
    with pytest.raises(FrameError, match="missing column time"):
        Spell().fit(pl.DataFrame({"message": ["a"]})).unseen(pl.DataFrame({"message": ["a"]}))
