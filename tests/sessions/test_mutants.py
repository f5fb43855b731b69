"""Mutants: what they change, and that they are never normal."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from deeplog_nb.frames import SESSIONS
from deeplog_nb.sessions.mutants import KINDS, mutants
from deeplog_nb.sessions.swaps import swapped

SEQUENCES = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=6), min_size=1, max_size=5)


def keys(frame: pl.DataFrame) -> dict[str, list[int]]:
    return dict(frame.group_by("session").agg("key").rows())


def test_each_distinct_session_is_changed_in_every_way(sessions):
    """Two alike and one other: two times six mutants."""
    made = mutants(sessions([1, 2, 3, 4], [1, 2, 3, 4], [4, 3, 2, 1, 1]), seed=3)
    assert made.truth.group_by("kind").len()["len"].to_list() == [2] * len(KINDS)
    assert made.truth["anomalous"].all()


@settings(deadline=None, max_examples=40)
@given(SEQUENCES, st.integers(0, 9))
def test_no_mutant_is_a_given_session(sequences, seed):
    """Whatever the sessions are, a mutant differs from all of them, and the kinds do what they say."""
    rows = [(f"s{n}", at, key, 1, False) for n, each in enumerate(sequences) for at, key in enumerate(each)]
    made = mutants(pl.DataFrame(rows, schema=dict(SESSIONS), orient="row"), seed)
    found = keys(made.sessions)
    assert not {tuple(each) for each in found.values()} & {tuple(each) for each in sequences}
    longer = {"insert": 1, "repeat": 1, "delete": -1, "replace": 0, "swap": 0}
    for name, changed in found.items():
        origin, kind = sequences[int(name.split(":")[0][1:])], name.split(":")[1]
        assert kind == "cut" or len(changed) == len(origin) + longer[kind]
        assert kind != "cut" or changed == origin[: len(changed)]


def test_the_seed_decides(sessions):
    """The same seed gives the same mutants, another one others."""
    train = sessions(*[[1, 2, 3, 4, n] for n in range(5, 15)])
    assert_frame_equal(mutants(train, 1).sessions, mutants(train, 1).sessions)
    assert not mutants(train, 1).sessions.equals(mutants(train, 2).sessions)


def test_swaps_keep_counts_and_only_move_what_runs_at_the_same_time(sessions):
    """1 and 2 come in both orders, 3 is always last: no swapped session begins or ends otherwise than training."""
    train = sessions(*[[1, 2, 3], [2, 1, 3]] * 20)
    more = keys(swapped(train, seed=1))
    assert len(more) == 80
    assert {tuple(each) for each in more.values()} == {(1, 2, 3), (2, 1, 3)}
