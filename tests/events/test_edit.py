"""A person's word on templates: keys stay what they were or are retired, and old events can follow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.lines.read import read

LOG = ["VM Started", "VM Paused", "VM Started", "status: 200 of GET", "status: 404 of GET", "status: 200 of GET", "bye"]
MESSAGES = st.lists(st.sampled_from(["open", "close", "7", "8", "x=1", "-", "<*>"]), max_size=5).map(" ".join)


def lines(*messages: str) -> pl.DataFrame:
    return pl.DataFrame({"message": messages}, schema={"message": pl.String})


def learnt() -> Templates:
    """Keys 1 VM Started, 2 VM Paused, 3 status: <*> of GET, 4 bye."""
    return Spell().fit(lines(*LOG))


def shown(templates: Templates) -> dict[int, str]:
    return dict(templates.frame.select("key", "template").rows())


def test_merged_keys_are_one_template_under_the_lowest_key() -> None:
    """Counts are summed, the text says what both have in common, and the old store is as it was."""
    old = learnt()
    edit = old.edit(merge=[(2, 1)])
    assert shown(edit.templates) == {1: "VM <*>", 3: "status: <*> of GET", 4: "bye"}
    assert edit.templates.frame["count"].to_list() == [3, 3, 1]
    assert edit.affected.select("key", "to", "count", "trained").rows() == [(1, 1, 2, True), (2, 1, 1, True)]
    assert shown(old)[2] == "VM Paused"
    assert edit.templates.text(2) == "merged into key 1"


def test_a_split_makes_a_template_of_each_text_that_the_lines_have() -> None:
    """New keys for the values, masked ones too; the old key goes on for others."""
    edit = learnt().edit(split={3: 0}, lines=lines(*LOG))
    assert shown(edit.templates) | {5: "status: 200 of GET", 6: "status: 404 of GET"} == shown(edit.templates)
    assert edit.templates.parse(lines(*LOG, "status: 500 of GET"))["key"].to_list() == [1, 2, 1, 5, 6, 5, 4, 3]
    assert edit.affected.select("key", "to", "count", "trained").rows() == [(3, 5, 2, False), (3, 6, 1, False)]
    assert edit.templates.frame.filter(pl.col("key").is_in([3, 5, 6]))["count"].to_list() == [0, 2, 1]
    assert edit.lines["message"].to_list() == LOG[3:6]


def test_a_split_takes_the_texts_that_are_given() -> None:
    """Without lines, by the texts named."""
    templates = learnt().edit(split={3: {0: ["404"]}}).templates
    assert templates.parse(lines("status: 404 of GET", "status: 200 of GET")).select("key", "parameters").rows() == [
        (5, []),
        (3, ["200"]),
    ]


def test_a_name_is_shown_and_changes_no_key() -> None:
    """The digest, which is what models know templates by, stays."""
    old = learnt()
    new = old.edit(rename={4: "farewell"}).templates
    assert (new.text(4), new.digest, new.frame["name"].to_list()) == ("farewell", old.digest, [None] * 3 + ["farewell"])


def test_a_pinned_template_is_asked_first_and_stays() -> None:
    """It takes messages from a more literal one, by what a person says, whatever is learnt later."""
    edit = learnt().edit(pin=["VM <*>"], lines=lines(*LOG))
    pinned = edit.templates.extend(lines("VM Gone up", "VM Gone away", "hello you"))
    assert pinned.text(5) == "VM <*>"
    assert pinned.parse(lines("VM Started", "VM Gone up", "hello you"))["key"].to_list() == [5, 5, 6]
    assert edit.affected.select("key", "to", "count", "trained").rows() == [(1, 5, 2, False), (2, 5, 1, False)]


def test_a_key_can_be_pinned() -> None:
    """It is asked before one with more literal text."""
    templates = Spell(split=0).fit(lines("disk a of host is full", "disk b of host is full")).extend(lines("disk c 7"))
    wide = templates.edit(pin=["disk <*>"]).templates.edit(pin=[1]).templates
    assert wide.parse(lines("disk a of host is full"))["key"].to_list() == [1]


def test_a_pinned_text_that_is_there_makes_no_second_template() -> None:
    """Neither where it was mined nor where a merge made it; but that takes what it says from now on."""
    edit = learnt().edit(pin=["bye", "bye"], merge=[(1, 2)])
    again = edit.templates.edit(pin=["VM <*>"]).templates
    assert shown(again) == {1: "VM <*>", 3: "status: <*> of GET", 4: "bye"}
    assert again.parse(lines("VM Started", "VM Gone", "bye"))["key"].to_list() == [1, 1, 4]


def test_the_history_says_what_became_of_each_key() -> None:
    """One row a change, numbered by edit."""
    edit = learnt().edit(merge=[(1, 2)], rename={1: "state"})
    again = edit.templates.edit(split={3: {0: ["200"]}}, pin=["bye <*>"])
    assert again.templates.history.rows() == [
        (1, "merge", 2, 1, "VM <*>"),
        (1, "rename", 1, 1, "state"),
        (2, "pin", None, 5, "bye <*>"),
        (2, "split", 3, 6, "200"),
    ]


def test_keys_are_never_used_again() -> None:
    """What is learnt after a merge gets a new key, and what was merged keeps on being found."""
    templates = learnt().edit(merge=[(3, 4)]).templates.extend(lines("hello there"))
    assert list(shown(templates)) == [1, 2, 3, 5]
    assert templates.parse(lines("bye", "hello there"))["key"].to_list() == [3, 5]
    with pytest.raises(ModelError, match="key 4 is none of these 4 templates"):
        templates.render(learnt().parse(lines("bye")))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"merge": [(1,)]}, "two or more different keys"),
        ({"merge": [(1, 9)]}, "key 9 is none of these"),
        ({"split": {3: 1}}, "of which it has 1; give one of 0 to 0"),
        ({"split": {3: 0}}, "needs lines"),
        ({"split": {3: {0: []}}}, "0 texts"),
        ({"split": {1: 0}}, "of which it has 0; it has none to split by"),
        ({"rename": {1: " "}}, "is empty"),
        ({"rename": {7: "x"}}, "key 7 is none"),
        ({"pin": ["<*> <*>"]}, "no word of its own"),
        ({"pin": ["took 7 s"]}, "write 'took <\\*> s'"),
        ({"pin": "took"}, "give a list"),
        ({"pin": 1}, "give a list"),
        ({"merge": (1, 2)}, r"groups of keys: merge=\[\(3, 7\)\]"),
        ({"merge": 1}, "groups of keys"),
        ({"split": [1]}, r"split=\{3: 0\}"),
        ({"split": {3: {0: "abc"}}}, "give a list of texts"),
        ({"rename": {1: 5}}, "rename=\\{3: 'login'\\}"),
    ],
)
def test_an_edit_that_cannot_be_done_is_refused(wanted: dict[str, object], said: str) -> None:
    """What came, what is accepted."""
    with pytest.raises(InputError, match=said):
        learnt().edit(**wanted)  # type: ignore[arg-type]


def test_events_of_other_templates_cannot_be_remapped() -> None:
    """Keys mean nothing to templates that did not come from theirs."""
    other = Spell().fit(lines("something else"))
    with pytest.raises(ModelError, match="did not come from"):
        learnt().remap(other.parse(lines("bye")), since=other)


@settings(deadline=None, max_examples=60)
@given(st.lists(MESSAGES, min_size=2, max_size=8), st.lists(MESSAGES, max_size=4), st.data())
def test_remapping_equals_parsing_anew(seen: list[str], more: list[str], data: st.DataObject) -> None:
    """After any edits and an extension: keys and parameters are those of a new parse, and nothing is lost."""
    old, log = Spell(tau=0.5).fit(lines(*seen)), lines(*seen, *more)
    new = old.edit(pin=data.draw(st.sampled_from([[], ["open <*>"]]))).templates
    for _ in range(2):
        keys = list(new.current)
        group = data.draw(st.lists(st.sampled_from(keys), max_size=3, unique=True))
        new = new.edit(merge=[group] if len(group) > 1 else []).templates
        wide = [key for key, literals in new.current.items() if len(literals) > 1 and key in new.parse(log)["key"]]
        new = new.edit(split=dict.fromkeys(wide[:1], 0), lines=log).templates
    new = new.extend(lines(*more))
    events = new.parse(log)
    for parameters in (True, False):
        then = old.parse(log, parameters=parameters)
        assert new.remap(then, since=old).equals(new.parse(log, parameters=parameters).select(then.columns))
    assert new.render(events).to_list() == log["message"].to_list()
    assert 0 not in events["key"]


def test_an_edited_store_is_saved_whole(tmp_path: Path) -> None:
    """Merges, splits, names, pins and history come back."""
    edit = learnt().edit(merge=[(1, 2)], split={3: {0: ["200"]}}, rename={4: "x"}, pin=["hello <*>"])
    edit.templates.save(tmp_path / "t.json")
    assert Templates.load(tmp_path / "t.json") == edit.templates
    assert Templates.load(tmp_path / "t.json").digest == edit.templates.digest


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("openstack/raw_normal1_instances.log.gz", "openstack/raw_abnormal_instances.log.gz"),
        ("hdfs/raw_head20000.log.gz", "hdfs/raw_sample.log.gz"),
        ("loghub_2k/Linux/Linux_2k.log", "linux/Linux.log.gz"),
    ],
)
def test_templates_of_one_file_serve_the_next(data: Callable[[str], Path], first: str, second: str) -> None:
    """Extended by the second file the store gives the first one's lines their old keys, the others new ones."""
    one, two = read(data(first)), read(data(second))
    templates = Spell().fit(one)
    extended = templates.extend(two)
    assert extended.frame["template"].head(len(templates)).equals(templates.frame["template"])
    assert extended.parse(one)["key"].equals(templates.parse(one)["key"])
    later = templates.parse(two)
    assert extended.remap(later, since=templates).equals(extended.parse(two))
    assert extended.render(extended.parse(two)).equals(two["message"])
