"""What a person said of a whole session holds in a stream too: its alarms wait until it can be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.sessions.cut import Cut

IDLE = "20s"
AT = ["session", "position"]


def whole(detector, lines: pl.DataFrame) -> pl.DataFrame:
    """What the batch path says of the whole log."""
    return replace(detector, cut=Cut(detector.cut.by, IDLE, detector.cut.count)).judge(lines)


def pushed(detector, lines: pl.DataFrame, cuts: Iterable[int] = (), *, stored: bool = False) -> pl.DataFrame:
    """The stream's verdicts, cut before these lines; with a new stream out of the state at each cut if ``stored``."""
    stream, parts, kept = detector.stream(idle=IDLE), [], {}
    for start, end in pairwise([0, *sorted(cuts), len(lines)]):
        parts.append(stream.push(lines[start:end]))
        if stored:
            told, gone = stream.changes()
            kept = {name: facts for name, facts in (kept | told).items() if name not in gone}
            stream = detector.stream(idle=IDLE, state=kept)
    return pl.concat([*parts, stream.close()])


def alarmed(verdicts: pl.DataFrame) -> set[str]:
    return {*verdicts.filter("anomalous")["session"].drop_nulls()}


@pytest.fixture(scope="module")
def answered(openstack):
    """A detector for which every third odd session is normal, and the log."""
    detector, lines = openstack
    said = whole(detector, lines).filter("anomalous")["session_pattern"].drop_nulls().unique().sort()[::3]
    return replace(detector, allowed=tuple(said)), lines


@pytest.fixture(scope="module")
def expected(answered):
    return whole(*answered)


@pytest.mark.parametrize("stored", [False, True])
def test_the_same_sessions_raise_an_alarm_as_in_the_whole_log(answered, expected, stored):
    """However it is cut, and when the stream is begun again from its state."""
    streamed = pushed(*answered, range(1, len(answered[1]), 170), stored=stored)
    assert alarmed(streamed) == alarmed(expected)
    quiet = {*expected.filter("allowed")["session"].drop_nulls()} - alarmed(expected)
    assert len(quiet) > 3
    assert streamed.filter(pl.col("session").is_in([*quiet]))["allowed"].any()


@settings(max_examples=6, deadline=None)
@given(cuts=st.sets(st.integers(1, 1500), max_size=30))
def test_cuts_change_nothing(answered, cuts):
    """Row by row."""
    detector, lines = answered[0], answered[1].head(1500)
    assert pushed(detector, lines, cuts).equals(pushed(detector, lines))


def test_no_alarm_of_an_entry_is_lost(answered, expected):
    """Each is an alarm in the stream, or told by a later one of its session."""
    streamed = pushed(*answered).filter("anomalous")
    late = expected.filter("anomalous", pl.col("session").is_not_null()).join(streamed, on=AT, how="anti")
    told = streamed.group_by("session").agg(pl.col("why").str.join("; "))
    reasons = late.join(told, on="session", how="left", suffix="_told")
    named = pl.format("line {} of {}:", "line", "file")
    assert reasons.select(pl.col("why_told").str.contains(named, literal=True)).to_series().all()
    assert len(late) > 5
