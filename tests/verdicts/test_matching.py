"""Each single thing that an alarm says must have been said to be normal."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.verdicts.matching import allowed_by, allows


def session(flagged: list[int | None], counts: list[list[int]], shapes: list[str] | None = None) -> str:
    told = {"flagged": flagged, "counts": counts} | ({"shapes": shapes} if shapes else {})
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


COUNTS, MORE = [[4, 1], [9, 1]], [[4, 2], [9, 1]]
BOTH = session([None, 9], COUNTS)
STRANGE = session([0], [[0, 2]], ['a,"] <*>', "b"])


@pytest.mark.parametrize(
    ("alarm", "allowed"),
    [
        ("ended", True),  # of two reasons one is left
        ("counted\nended", True),
        ("counted\nother", False),
        (session([9], COUNTS), True),  # the end is not flagged any more
        (session([None], COUNTS), True),
        (session([4, 9], COUNTS), False),  # flagged at one more key
        (session([9], MORE), False),  # another count
        (session([0], [[0, 2]], ["b"]), True),
        (session([0], [[0, 2]], ["b", "c"]), False),  # another unknown message
        (session([0], [[0, 2]]), False),  # or one that nobody can name
        (None, False),
    ],
)
def test_every_single_reason_must_have_been_named(alarm, allowed):
    """Fewer reasons than a person saw are allowed, others and more are not."""
    said = pl.Series(["counted\nended", BOTH, STRANGE])
    assert allowed_by(pl.Series([alarm], dtype=pl.String), said).to_list() == [allowed]


def test_two_answers_may_name_what_an_alarm_says():
    """One of its reasons each; and a number that is nearer is named as well."""
    far = '{"at":"elapsed","side":"above","upto":40.0}'
    near = '{"at":"elapsed","side":"above","upto":30.0}'
    assert allowed_by(pl.Series([f"ended\n{near}"]), pl.Series(["ended", far])).to_list() == [True]
    assert allowed_by(pl.Series([f"ended\n{far}"]), pl.Series(["ended", near])).to_list() == [False]


def test_who_has_a_part_in_allowing_an_alarm_is_named():
    """Of two that allow it together both; of one that allows another thing none."""
    assert allows(pl.Series(["a", "b", "c"]), pl.Series(["a\nb", "c\nd"])).to_list() == [True, True, False]
    assert allows(pl.Series([BOTH]), pl.Series([session([9], COUNTS)])).to_list() == [True]
    assert allows(pl.Series([BOTH]), pl.Series([session([4, 9], COUNTS)])).to_list() == [False]


def test_without_patterns_nothing_is_allowed():
    """And without alarms nothing is asked."""
    none = pl.Series([], dtype=pl.String)
    assert allowed_by(pl.Series(["a", BOTH]), none).to_list() == [False, False]
    assert allowed_by(none, pl.Series(["a"])).to_list() == allows(none, pl.Series(["a"])).to_list() == []


KEYS = st.lists(st.sampled_from([None, 0, 4, 9]), min_size=1, max_size=4, unique=True)
WHOLE = st.tuples(KEYS, st.sampled_from([COUNTS, MORE]), st.sets(st.sampled_from(["b", 'c"],"', "d e"]), max_size=2))


@settings(max_examples=80, deadline=None)
@given(st.lists(WHOLE, max_size=4), st.lists(WHOLE, min_size=1, max_size=4))
def test_sessions_are_allowed_as_sets_say(said, asked):
    """Beside a loop over Python sets."""

    def things(whole):
        keys, counts, shapes = whole
        named = [("shape", shape) for shape in shapes] if shapes and 0 in keys else [("key", 0)] * (0 in keys)
        return {(str(counts), *each) for each in [("key", key) for key in keys if key != 0] + named}

    def text(whole):
        keys, counts, shapes = whole
        return session(keys, counts, sorted(shapes) if 0 in keys else None)

    given_ = set().union(*map(things, said))
    found = allowed_by(pl.Series(map(text, asked)), pl.Series("p", [*map(text, said)], dtype=pl.String))
    assert found.to_list() == [things(each) <= given_ for each in asked]
