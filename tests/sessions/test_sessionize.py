"""Who belongs together, in which order, and which sessions the log's end cut short."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import FrameError, InputError
from deeplog_nb.lines.read import read
from deeplog_nb.sessions.sessionize import sessionize, without_session

ID = r"id=(\w+)"


def at(second: float | None) -> datetime | None:
    return None if second is None else datetime(2026, 3, 2) + timedelta(seconds=second)


def events(*rows: tuple[str, float | None], **columns: list[Any]) -> pl.DataFrame:
    """Events from (message, second); their keys are 1, 2, 3, …"""
    content = {"message": [row[0] for row in rows], "time": [at(row[1]) for row in rows]}
    schema = {"message": pl.String(), "time": pl.Datetime("us")}
    keys = pl.Series("key", range(1, len(rows) + 1), dtype=pl.UInt32)
    return pl.DataFrame(content, schema=schema).with_columns(keys, **{n: pl.Series(c) for n, c in columns.items()})


def keys(sessions: pl.DataFrame) -> dict[str, list[int]]:
    return dict(sessions.group_by("session", maintain_order=True).agg("key").rows())


def opened(sessions: pl.DataFrame) -> dict[str, bool]:
    return dict(sessions.group_by("session", maintain_order=True).agg(pl.col("open").first()).rows())


LOG = events(("a id=x", 0), ("b id=y", 1), ("c id=x id=y id=x", 2), ("d", 3), ("e id=y", 100))


def test_a_record_joins_each_session_that_it_names_once() -> None:
    """By pattern: two ids, two sessions; the same id twice, one entry; no id, none."""
    assert keys(sessionize(LOG, by=ID)) == {"x": [1, 3], "y": [2, 3, 5]}


def test_a_record_that_names_no_session_is_given_back() -> None:
    """What is in no session is in ``without_session``, whole."""
    assert without_session(LOG, ID).equals(LOG[3:4])
    assert without_session(LOG, None).is_empty()


def test_a_column_can_name_the_session_or_several() -> None:
    """Values of any type, lists of them too; null and the empty list name none."""
    two = LOG.head(3).with_columns(
        vm=pl.Series([7, None, 7]), vms=pl.Series([["a", "b"], [], None], dtype=pl.List(pl.String))
    )
    assert keys(sessionize(two, by="vm")) == {"7": [1, 3]}
    assert keys(sessionize(two, by="vms")) == {"a": [1], "b": [1]}
    assert [without_session(two, by)["key"].to_list() for by in ("vm", "vms")] == [[2], [2, 3]]


IDS = st.lists(st.lists(st.sampled_from("abc"), max_size=3), min_size=1, max_size=12)


@settings(deadline=None, max_examples=100)
@given(IDS, st.sampled_from([None, "5s"]), st.sampled_from([None, 1, 2]), st.data())
def test_every_event_is_in_a_session_or_in_none(
    ids: list[list[str]], gap: str | None, count: int | None, draw: st.DataObject
) -> None:
    """However it is cut: an event is in each session it names, once, or is given back as nameless."""
    seconds = draw.draw(st.lists(st.integers(0, 30), min_size=len(ids), max_size=len(ids)))
    log = events(
        *((" ".join(f"id={each}" for each in names), second) for names, second in zip(ids, seconds, strict=True))
    )
    if any(ids):
        sessions = sessionize(log, by=ID, gap=gap, count=count)
        named = sessions.select("key", pl.col("session").str.split("#").list.first()).sort("key", "session").rows()
        assert named == [(key, name) for key, names in enumerate(ids, 1) for name in sorted(set(names))]
    assert without_session(log, ID)["key"].to_list() == [key for key, names in enumerate(ids, 1) if not names]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 6), st.integers(1, 4))
def test_silence_and_count_cut_as_a_loop_would(seconds: list[int], gap: int, count: int) -> None:
    """A part ends after so long a silence, or when it is full; whichever comes first, counted anew in each."""
    parts: list[list[int]] = []
    rows = sorted(enumerate(seconds, 1), key=lambda row: row[1])
    for place, (key, second) in enumerate(rows):
        fresh = place == 0 or second - rows[place - 1][1] > gap or len(parts[-1]) == count
        parts = [*parts, [key]] if fresh else [*parts[:-1], [*parts[-1], key]]
    cut = sessionize(events(*(("m", second) for second in seconds)), gap=timedelta(seconds=gap), count=count)
    assert keys(cut) == {f"all#{number}" if number > 1 else "all": part for number, part in enumerate(parts, 1)}


def test_silence_cuts_each_session_by_itself() -> None:
    """By id and gap: y is silent for 98 seconds, x is not."""
    assert keys(sessionize(LOG, by=ID, gap="90s")) == {"x": [1, 3], "y": [2, 3], "y#2": [5]}


def test_parts_do_not_run_into_ids_that_look_like_parts() -> None:
    """Where an id is called a#2, the second part of a is called otherwise."""
    log = events(("", 0), ("", 1), ("", 100), vm=["a", "a#2", "a"])
    assert keys(sessionize(log, by="vm", gap="10s")) == {"a": [1], "a#2": [2], "a##2": [3]}


def test_without_a_cut_each_file_is_a_session() -> None:
    """With no id, gap or count the file is the session; without files there is one."""
    assert keys(sessionize(LOG.with_columns(file=pl.Series(["p", "q", "p", "p", "q"])))) == {
        "p": [1, 3, 4],
        "q": [2, 5],
    }
    assert list(keys(sessionize(LOG))) == ["all"]


def test_entries_are_in_the_order_of_time() -> None:
    """Sessions come as they begin, entries as they happened, equal times as they came."""
    late = events(("id=x", 5), ("id=y", 1), ("id=x", 1), ("id=y", 1))
    assert keys(sessionize(late, by=ID)) == {"y": [2, 4], "x": [3, 1]}


def test_a_record_without_time_stays_where_it_stood() -> None:
    """It keeps its place below the record above it in its file, and neither hides a silence nor makes one."""
    log = events(("", 0), ("", None), ("", 100), ("", 50))
    assert keys(sessionize(log)) == {"all": [1, 2, 4, 3]}
    assert keys(sessionize(log, gap="10s")) == {"all": [1, 2], "all#2": [4], "all#3": [3]}


def test_elapsed_is_the_wait_within_the_session() -> None:
    """Seconds since the session's own last record; null first, and where a time is not known."""
    assert sessionize(LOG, by=ID)["elapsed"].to_list() == [None, 2.0, None, 1.0, 98.0]
    assert sessionize(events(("", 0), ("", None), ("", 1)))["elapsed"].to_list() == [None, None, None]


def test_a_session_is_open_while_its_usual_wait_is_not_over() -> None:
    """Others went on a second after their first key; of two that stopped there, the one just begun is open."""
    log = events(("id=p", 0), ("id=p", 1), ("id=q", 2), ("id=r", 50)).with_columns(
        key=pl.Series([1, 2, 1, 1], dtype=pl.UInt32)
    )
    assert opened(sessionize(log, by=ID)) == {"p": False, "q": False, "r": True}


def test_the_end_of_the_log_is_that_of_all_events() -> None:
    """A record that names no session tells all the same that the log went on."""
    log = events(("id=p", 0), ("no id", 1000)).with_columns(key=pl.Series([1, 1], dtype=pl.UInt32))
    assert opened(sessionize(log, by=ID)) == {"p": False}
    assert opened(sessionize(log.head(1), by=ID)) == {"p": True}


def test_silence_closes_a_session_and_the_logs_end_does_not() -> None:
    """By gap: a session is open if the log ended before its silence was long enough."""
    assert opened(sessionize(LOG, gap="10s")) == {"all": False, "all#2": True}


def test_what_was_cut_by_count_is_open() -> None:
    """A window ends where it was cut, not where the task did; so does a file."""
    assert opened(sessionize(LOG, count=3)) == {"all": True, "all#2": True}
    assert opened(sessionize(LOG, by=ID, count=2))["y"] is True
    assert opened(sessionize(LOG)) == {"all": True}


def test_without_times_the_lines_are_the_clock() -> None:
    """Of sessions that take two lines each, only the one in which the log ends may still go on."""
    lines = [f"{step} id={number}" for number in range(20) for step in ("begin", "end")][:-1]
    events = pl.DataFrame({"message": lines, "key": [1, 2] * 19 + [1]}, schema_overrides={"key": pl.UInt32})
    states = opened(sessionize(events, by=r"id=(\w+)"))
    assert [name for name, state in states.items() if state] == ["19"]


def test_columns_of_the_log_do_not_get_in_the_way() -> None:
    """A log with columns called horizon, open, count or position is cut like any other."""
    odd = LOG.with_columns(pl.lit("?").alias(name) for name in ("horizon", "open", "count", "position", "elapsed"))
    assert sessionize(odd, by=ID).equals(sessionize(LOG, by=ID))


def test_no_events_make_no_sessions() -> None:
    """Nothing in, nothing out, of the right types."""
    for options in ({}, {"by": ID}, {"gap": "1s"}, {"count": 2}):
        assert sessionize(LOG.clear(), **options).schema == sessionize(LOG, by=ID).schema


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": r"id=\w+"}, "lacks a group"),
        ({"by": ""}, "lacks a group"),
        ({"by": r"id=(\w+"}, "no linear-time pattern"),
        ({"by": r"(?<=id=)(\w+)"}, "look-around"),
        ({"by": r"vm=(\w+)"}, "no record names a session"),
        ({"gap": "soon"}, "write it as 500ms, 90s"),
        ({"gap": timedelta(-1)}, "no negative length"),
        ({"count": 0}, "1 entry at least"),
    ],
)
def test_a_cut_that_cannot_be_made_is_refused(options: dict[str, object], said: str) -> None:
    """The error says what came and what is accepted."""
    with pytest.raises(InputError, match=said):
        sessionize(LOG, **options)  # type: ignore[arg-type]


def test_what_a_cut_needs_is_named() -> None:
    """A gap needs times, a pattern needs messages, and every cut needs keys."""
    with pytest.raises(InputError, match="gap needs times"):
        sessionize(LOG.drop("time"), gap="1s")
    with pytest.raises(FrameError, match="missing column message"):
        sessionize(LOG.drop("message"), by=ID)
    with pytest.raises(FrameError, match="missing column key"):
        sessionize(LOG.drop("key"))


@pytest.mark.parametrize(("gap", "seconds"), [("500ms", 0.5), ("90s", 90), ("1.5 m", 90), ("2h", 7200), ("1d", 86400)])
def test_gaps_are_written_with_their_unit(gap: str, seconds: float) -> None:
    """A silence of just that length does not cut; a longer one does."""
    log = events(("", 0), ("", seconds), ("", 2 * seconds + 0.001))
    assert keys(sessionize(log, gap=gap)) == {"all": [1, 2], "all#2": [3]}


def test_real_blocks_are_sessions(data: Callable[[str], Path]) -> None:
    """Every line of the HDFS sample names a block, and the blocks are those of the label file."""
    lines = read(data("hdfs/raw_sample.log.gz"))
    parsed = Spell().fit(lines).parse(lines, parameters=False)
    sessions = sessionize(parsed, by=r"(blk_-?\d+)")
    labels = pl.read_csv(data("hdfs/raw_sample_labels.csv.gz"))
    assert set(labels["block_id"]) <= set(sessions["session"])
    assert sessions["line"].n_unique() == lines.height == 156_132
    assert without_session(parsed, r"(blk_-?\d+)").is_empty()
