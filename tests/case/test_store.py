"""What a tail keeps: all of a step or nothing, and nothing twice."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeplog_nb.case.case import Case
from deeplog_nb.case.store import CLIP, KEPT
from deeplog_nb.frames import VERDICTS, FrameError, InputError

LOG = "/var/log/a b.log"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture
def case(tmp_path) -> Case:
    return Case(tmp_path / "case")


@pytest.fixture
def step(judged):
    """Two records and an end row, from byte 0 on."""
    return judged(("a", 0, 4, False), ("a", 1, 9, True), ("a", 2, None, False), offset=[0, 50, 50])


def test_what_was_committed_is_read_back(case, step):
    """Verdicts, position, states and gaps of a step, to the last column."""
    time = pl.lit(datetime(2026, 3, 2, 1, 2, 3, 456789))
    step = step.with_columns(generation=pl.lit(2, pl.UInt32), time=time, message=pl.lit("m\x00'"))
    case.commit(LOG, step, position='{"offset": 90}', changed={"s'": '{"a": 1}', "t": "{}"}, gaps=["rotated"])
    back = case.verdicts()
    assert dict(back.schema) == KEPT
    assert back.select(step.columns).drop("file").equals(step.drop("file"))
    assert set(back["source"]) == set(back["file"].cast(pl.String)) == {LOG}
    assert (case.position(LOG), case.states(LOG)) == ('{"offset": 90}', {"s'": '{"a": 1}', "t": "{}"})
    assert case.gaps().select("source", "what").rows() == [(LOG, "rotated")]


def test_states_change_and_go(case, step):
    """Only what a step names is touched, and only in its source."""
    case.commit("other", step.clear(), position="0", changed={"a": "other"})
    case.commit(LOG, step.clear(), position="0", changed={"a": "1", "b": "1"})
    case.commit(LOG, step.clear(), position="1", changed={"a": "2"}, gone=["b", "never was"])
    assert (case.states(LOG), case.states("other"), case.position(LOG)) == ({"a": "2"}, {"a": "other"}, "1")


def test_a_source_never_heard_of_has_nothing(case):
    """Null, and empty frames of the right shape."""
    assert (case.position(LOG), case.states(LOG)) == (None, {})
    assert case.verdicts(LOG).schema == KEPT
    assert case.gaps(LOG).is_empty()


@pytest.mark.parametrize("again", [slice(0, 1), slice(1, 2), slice(2, 3)])
def test_a_record_is_never_kept_twice(case, step, judged, again):
    """A step with one record that is there already leaves verdicts, position and states as they were."""
    case.commit(LOG, step, position="90", changed={"a": "1"})
    new = judged(("b", 0, 5, False), offset=[90]).select(step.columns)
    with pytest.raises(InputError, match="in the case already, so nothing of the step was kept"):
        case.commit(LOG, pl.concat([new, step[again]]), position="120", changed={"a": "2"}, gone=["a"], gaps=["x"])
    assert (case.verdicts().height, case.position(LOG), case.states(LOG)) == (3, "90", {"a": "1"})
    assert case.gaps().is_empty()


def test_what_tells_records_apart(case, step, judged):
    """Another source, generation or session, and an end row without an offset, are other records."""
    case.commit(LOG, step, position="90")
    case.commit("other", step, position="90")
    case.commit(LOG, step.with_columns(generation=pl.lit(1, pl.UInt32)), position="90")
    both = judged(("b", 0, 4, False), (None, 0, 4, False), ("b", 1, None, False), offset=[0, 0, None])
    case.commit(LOG, both, position="90")
    case.commit(LOG, both[2:], position="90")
    assert case.verdicts().height == 13


def test_the_last_alarms_of_a_source(case, step, judged):
    """Filters meet; rows come in the order in which they were added."""
    case.commit(LOG, step, position="90")
    case.commit("other", step, position="90")
    case.commit(LOG, judged(("b", 0, 7, True), offset=[90]), position="99")
    assert case.verdicts(LOG, anomalous=True)["key"].to_list() == [9, 7]
    assert case.verdicts(LOG, anomalous=True, last=1)["key"].to_list() == [7]
    assert case.verdicts(anomalous=False, last=3)["key"].to_list() == [None, 4, None]


def test_totals_count_records_alarms_and_gaps_of_a_source(case, step, judged):
    """A record that two sessions share is one, its two alarms are two; an end is no record, and may be an alarm."""
    case.commit("other", step, position="90", gaps=["x"])
    assert (case.totals(LOG), case.totals("other")) == ((0, 0, 0), (2, 1, 1))
    shared = judged(("a", 0, 4, True), ("b", 0, 4, True), ("b", 1, None, True), offset=[0, 0, None])
    again = shared[:1].with_columns(generation=pl.lit(2, pl.UInt32))
    case.commit(LOG, pl.concat([shared.with_columns(generation=pl.lit(1, pl.UInt32)), again]), position="90")
    assert case.totals(LOG) == (2, 4, 0)
    assert case.totals(LOG).records == 2


def test_committed_verdicts_can_be_marked(case, step):
    """What the store gives is VERDICTS, with pattern, file and line."""
    case.commit(LOG, step, position="90")
    row = case.mark(case.verdicts(), "normal", pattern="[9]").row(0, named=True)
    assert (row["session"], row["file"], row["line"], row["keys"]) == ("a", LOG, 7, [4, 9])


def test_an_offset_is_needed(case, step):
    """Without one nobody can say what is kept twice."""
    with pytest.raises(FrameError, match=r"missing column offset \(UInt64\)"):
        case.commit(LOG, step.drop("offset"), position="0")
    assert case.position(LOG) is None


@pytest.mark.parametrize("wrong", [{"position": 5}, {"position": "5", "changed": {"a": {}}}])
def test_positions_and_states_are_texts(case, step, wrong):
    """What is none is told, and nothing of the step is kept."""
    with pytest.raises(InputError, match=r"positions and states are texts"):
        case.commit(LOG, step, **wrong)
    assert case.verdicts().is_empty()


def test_numbers_beyond_what_a_file_can_hold_are_refused(case, step):
    """No file has so many bytes."""
    with pytest.raises(InputError, match=r"below 2\^63"):
        case.commit(LOG, step.with_columns(offset=pl.lit(2**64 - 1, pl.UInt64)), position="0")


def test_odd_numbers_come_back(case, step):
    """Infinite scores are scores, null is null, and float32 loses nothing."""
    odd = step.with_columns(
        score=pl.Series([float("inf"), None, 0.1], dtype=pl.Float32), rank=pl.Series([65535, None, 1], dtype=pl.UInt16)
    )
    case.commit(LOG, odd, position="90")
    assert case.verdicts().select("score", "rank").equals(odd.select("score", "rank"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=TEXT, session=TEXT, name=TEXT, message=st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_any_text_comes_back_as_it_was(tmp_path_factory, judged, source, session, name, message):
    """Of a message the first 500 characters, of all else every one."""
    case = Case(tmp_path_factory.mktemp("case"))
    rows = judged((session, 0, 4, True), offset=[0], why=message, message=message)
    case.commit(source, rows, position=name, changed={name: message}, gaps=[message])
    back = case.verdicts(source).row(0, named=True)
    assert [back[each] for each in ("source", "session", "why")] == [source, session, message]
    assert back["message"] == message[:CLIP]
    assert (case.position(source), case.states(source)) == (name, {name: message})
    assert case.gaps(source)["what"].to_list() == [message]
    assert set(VERDICTS) <= set(back)
