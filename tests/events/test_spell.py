"""The miner: which messages share a template."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random
from string import ascii_lowercase
from time import perf_counter

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell, distinct_shapes
from deeplog_nb.frames import FrameError, InputError

NAMES = ["ana", "bob", "eva", "ivo", "joe", "lea", "max", "tom"]


def mined(*messages: str, **options: float) -> list[str]:
    lines = pl.DataFrame({"message": messages}, schema={"message": pl.String})
    return Spell(**options).fit(lines).frame["template"].to_list()  # type: ignore[arg-type]


def test_a_word_that_varies_a_lot_is_a_parameter() -> None:
    """Eight users, one template."""
    assert mined(*(f"user {name} logged in from the console" for name in NAMES)) == [
        "user <*> logged in from the console"
    ]


def test_a_word_that_varies_little_is_part_of_the_message() -> None:
    """Two states are two events; with splitting off they are one."""
    messages = ["the machine is now started fully", "the machine is now paused fully"]
    assert mined(*messages) == messages
    assert mined(*messages, split=0) == ["the machine is now <*> fully"]


def test_a_wildcard_stands_for_whole_words() -> None:
    """Names that begin and end alike are taken whole, and what was merged is found again."""
    assert mined(*(f"user veryverylongname{each}x is now in here" for each in ascii_lowercase[:8])) == [
        "user <*> is now in here"
    ]


def test_tau_is_the_share_of_words_in_common() -> None:
    """Three of four words are enough at 0.7 and not at 0.8."""
    messages = [f"disk {name} is full" for name in NAMES]
    assert mined(*messages, tau=0.7) == ["disk <*> is full"]
    assert mined(*messages, tau=0.8) == messages


def test_templates_come_in_the_order_of_first_appearance() -> None:
    """Keys are 1, 2, 3 as the messages come."""
    assert mined("stop", "start 7", "stop", "start 8", "begin") == ["stop", "start <*>", "begin"]


def test_no_lines_give_no_templates() -> None:
    """An empty log is not an error."""
    assert mined() == []


def test_mining_does_not_depend_on_the_hash_seed() -> None:
    """Two processes mine the same templates under the same keys, where several clusters are equally close."""
    code = (  # each third message is as close to the first as to the second
        "import polars as pl; from deeplog_nb.events.spell import Spell;"
        "words = [[c + d for d in 'abcdefgh'] for c in 'ijklmnopqr'];"
        "messages = [' '.join(part) for w in words for part in (w[:4], w[4:], w[:2] + w[4:6])];"
        "print(Spell(tau=0.5, split=0).fit(pl.DataFrame({'message': messages})).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("options", [{"tau": 0}, {"tau": 1.1}, {"split": -1}, {"split": 1.5}])
def test_settings_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    """A share is a share, a number of texts is not negative."""
    with pytest.raises(InputError, match="0 < tau <= 1 and split >= 0"):
        mined("a", **options)


def test_distinct_shapes_are_counted_with_their_first_line() -> None:
    """Each shape once, with how often, an example and where it was first seen."""
    lines = pl.DataFrame({"message": ["a 1", "b", "a 2"]})
    assert distinct_shapes(lines).rows() == [("a \x1a", 2, "a 1", 1), ("b", 1, "b", 2)]


def test_lines_without_messages_are_refused() -> None:
    """The missing column is named."""
    with pytest.raises(FrameError, match=r"missing column message \(String\)"):
        Spell().fit(pl.DataFrame({"text": ["a"]}))


def test_messages_that_state_other_fields_are_other_messages() -> None:
    """A field more is another template, however alike the rest."""
    lines = pl.DataFrame(
        {
            "message": [
                f"login failed; uid=0 tty=ssh host={name}{user}" for name in "abcdefgh" for user in ("", " user=x")
            ]
        }
    )
    assert sorted(Spell().fit(lines).frame["template"]) == [
        "login failed; uid=<*> tty=ssh host=<*>",
        "login failed; uid=<*> tty=ssh host=<*> user=x",
    ]


def test_a_wildcard_that_stands_for_values_is_never_split() -> None:
    """Few texts are part of the message only if none of them holds a value."""
    lines = pl.DataFrame(
        {"message": ["connection from 10.0.0.1 () at 10:15", "connection from 10.0.0.2 (host7.example) at 10:16"]}
    )
    assert len(Spell().fit(lines)) == 1


PAIRS = [
    ("session {} opened user=ana", ["cyrus", "news"], True),  # ... and so on: two words, nothing says what they are
    ("session opened for user {} by root", ["cyrus", "news"], False),  # the log elsewhere says user=
    ("the mode of this={} changed", ["fast", "slow"], False),
    ("service '{}' was started here", ["driver", "executor"], False),
    ("the interface [{}] is up now", ["alpha", "beta"], False),
    ("the class {} was registered now", ["org.apache.Fast", "org.apache.Slow"], False),
    ("the value of this is {} now", ["true", "false"], False),
    ("errors {} were corrected by this node", ["", "over 7 seconds"], True),
    ("the time {} was taken by this node", ["7", "<1 sec"], False),
]


@pytest.mark.parametrize(("statement", "texts", "two"), PAIRS)
def test_where_a_text_stands_and_what_it_says_tells_a_parameter(statement: str, texts: list[str], two: bool) -> None:
    """Of two texts at one place each is a message of its own, unless the statement shows that it is a value."""
    messages = [statement.format(text) for text in texts]
    elsewhere = "failed login of somebody; user=ana"
    assert len(mined(*messages, elsewhere)) == (3 if two else 2)


def test_a_word_that_is_a_value_elsewhere_is_a_value() -> None:
    """Of many users two did it too often: that is one message."""
    users = [f"the invalid user called {name} came in" for name in NAMES]
    assert "too many login failures for <*>" in mined(
        *users, "too many login failures for ana", "too many login failures for bob"
    )


def test_groups_that_differ_in_one_value_are_joined() -> None:
    """An alike message that came between does not part them for good."""
    fail = "pam auth failure of this host; uid=0 tty=ssh user={}"
    other = "pam two more failures of this host; uid=0 tty=ssh user=root"
    assert mined(fail.format("root"), other, fail.format("uucp"), fail.format("git"))[0] == fail.replace(
        "=0", "=<*>"
    ).format("<*>")


def test_random_words_are_mined_in_time() -> None:
    """Ten thousand shapes without anything in common take seconds, not minutes."""
    chance = Random(1)
    known = ["".join(chance.choices(ascii_lowercase, k=6)) for _ in range(300)]
    began = perf_counter()
    assert len(mined(*{" ".join(chance.choices(known, k=8)) for _ in range(10_000)})) > 9_000
    assert perf_counter() - began < 60


def test_lines_of_any_length_are_mined_and_parsed_in_time() -> None:
    """Two messages of a mebibyte, all but alike: what lies behind the first words is one parameter, and comes back."""
    chance = Random(1)
    known = ["".join(chance.choices(ascii_lowercase, k=5)) for _ in range(300)]
    first = chance.choices(known, k=200_000)
    log = pl.DataFrame({"message": [" ".join(first), " ".join(w if chance.random() < 0.9 else "x7" for w in first)]})
    began = perf_counter()
    templates = Spell().fit(log)
    assert templates.render(templates.parse(log)).equals(log["message"])
    assert perf_counter() - began < 5


def test_a_stack_trace_is_one_parameter() -> None:
    """However many traces there are, and whether there is one: the first line is the message."""
    traces = ["\n".join(f"  at pool.{a * b}.{c}(Main)" for c in ascii_lowercase) for a in "abc" for b in range(20)]
    log = pl.DataFrame({"message": ["no route", *(f"no route\n{trace}" for trace in traces)]})
    began = perf_counter()
    assert Spell().fit(log).frame["template"].to_list() == ["no route<*>"]
    assert perf_counter() - began < 1


def test_words_that_vary_freely_are_parameters() -> None:
    """Each tenant both ways: on and off are two messages, the tenants are values of both."""
    log = [
        f"the dark theme is {state} for {tenant}" for state in ("on", "off") for tenant in ("acme", "globex", "init")
    ]
    assert mined(*log) == ["the dark theme is on for <*>", "the dark theme is off for <*>"]


def test_words_that_are_found_together_in_two_statements_are_parameters() -> None:
    """Three names that log in and change passwords are no three states of the machine."""
    log = [text.format(name) for text in ("User {} logged in", "Password changed for {}") for name in NAMES[:3]]
    assert mined(*log) == ["User <*> logged in", "Password changed for <*>"]


def test_several_wildcards_together_do_not_make_many_templates() -> None:
    """Two messages that differ in many places are two, not two to the power of them."""
    chance = Random(1)
    log = [" ".join(f"step{each} {chance.choice(['yes', 'no'])} of the run" for each in "abcde") for _ in range(9)]
    assert len(mined(*log)) <= 6


def test_names_that_nothing_tells_from_states_can_be_merged() -> None:
    """Three of them in one statement are three templates, until a person says otherwise."""
    templates = Spell().fit(pl.DataFrame({"message": [f"User {name} logged in" for name in NAMES[:3]]}))
    assert len(templates) == 3
    assert templates.edit(merge=[(1, 2, 3)]).templates.frame["template"].to_list() == ["User <*> logged in"]
