"""Keys by the words of their templates."""

from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COUNTED
from deeplog_nb.views.naming import with_names


def store(*messages: str) -> Templates:
    lines = pl.DataFrame({"message": messages, "line": range(len(messages))}, schema_overrides={"line": pl.UInt64()})
    return Spell().fit(lines.with_columns(file=pl.lit("a", pl.Categorical())))


def named(templates: Templates, *reasons: str | None) -> list[str | None]:
    rows = [(f"s{at}", reason is not None, reason) for at, reason in enumerate(reasons)]
    counted = with_names(pl.DataFrame(rows, schema=dict(COUNTED), orient="row"), templates)
    assert dict(counted.schema) == COUNTED
    return counted["reason"].to_list()


def test_each_key_is_named_and_a_session_in_order_is_left_alone():
    """Alike reasons get alike words; null stays null."""
    said = named(
        store("open it", "shut it"), "key 1 occurs 2 times; key 2 occurs 0 times", None, "key 2 occurs 3 times"
    )
    assert said == ["‘open it’ occurs 2 times; ‘shut it’ occurs 0 times", None, "‘shut it’ occurs 3 times"]


@pytest.mark.parametrize("key", [0, 9, 2**40])
def test_a_key_of_no_template_stays_a_number(key):
    """What fits none has no words."""
    assert named(store("open it"), f"key {key} occurs") == [f"key {key} occurs"]


def test_words_that_look_like_a_key_are_words():
    """A template that says ``key two`` or names a group of a pattern is quoted as it is, and not looked at again."""
    assert named(store(r"the key \g is lost"), "key 1 and key 7") == [r"‘the key \g is lost’ and key 7"]


def test_hostile_words_are_clipped_and_made_visible():
    """No control character, no override of direction, 80 characters at most; markup is for the page to escape."""
    (said,) = named(store("<script>\x1b\u202e " + "word " * 100), "key 1 occurs")
    assert said.startswith(r"‘<script>\x1b\u202e word word")
    assert len(said) < 80 + 30
    assert said.isprintable()
