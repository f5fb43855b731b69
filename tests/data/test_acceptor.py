"""The acceptor says what a normal process can produce, no more and no less."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from deeplog_nb.data.acceptor import Acceptor, alphabet
from deeplog_nb.data.grammar import Node, both, either, maybe, repeat, seq, step, task, wait, walk
from deeplog_nb.data.hdfs import LIFE as BLOCK
from deeplog_nb.data.openstack import LIFE as MACHINE

TREES = {
    "sequence": (seq(step("a"), wait(9), step("b")), {"ab"}),
    "both": (both(step("a"), seq(step("b"), step("a"))), {"aba", "baa"}),
    "choice": (either(0.5, step("a"), seq(step("a"), step("b"))), {"a", "ab"}),
    "maybe": (task("t", maybe(0.5, step("a")), step("b")), {"b", "ab"}),
    "repeat": (seq(repeat((0.3, 0.3, 0.4), step("a")), step("b")), {"b", "ab", "aab"}),
    "nested": (both(maybe(0.5, step("a")), repeat((0.5, 0.5), step("b"))), {"", "a", "b", "ab", "ba"}),
}


@pytest.mark.parametrize("name", TREES)
def test_accepts_exactly_the_language_of_the_tree(name: str) -> None:
    """Of all words of up to four letters, the accepted ones are those written out by hand."""
    tree, language = TREES[name]
    acceptor = Acceptor(tree)
    words = ("".join(letters) for length in range(5) for letters in product("ab", repeat=length))
    assert {word for word in words if acceptor.reject(tuple(word)) is None} == language


@pytest.mark.parametrize("life", [MACHINE, BLOCK], ids=["machine", "block"])
def test_accepts_every_walk(life: Node) -> None:
    """What a tree generates it recognises, however the parallel parts fall."""
    rng, acceptor = Random(1), Acceptor(life)
    walks = [walk(life, 0, rng, lambda step: rng.randrange(1, 500)) for _ in range(300)]
    assert {acceptor.reject([beat.key for beat in beats]) for beats in walks} == {None}


def test_says_where_a_sequence_first_goes_wrong() -> None:
    """The index of the first key that cannot come there, or the length when more had to come."""
    acceptor = Acceptor(seq(step("a"), step("b"), step("c")))
    assert [acceptor.reject(tuple(word)) for word in ("abc", "acb", "ab", "abcc", "")] == [None, 1, 2, 3, 0]


def test_beginnings_are_not_wrong() -> None:
    """A session that the end of the log cut off begins like a normal one."""
    acceptor = Acceptor(seq(step("a"), step("b")))
    assert [acceptor.begins(tuple(word)) for word in ("a", "ab", "b", "")] == [True, True, False, True]


def test_alphabet_is_what_the_tree_can_write() -> None:
    """Waiting writes nothing, so it is no key."""
    assert alphabet(seq(step("b"), wait(1), maybe(0.1, step("a")))) == ("a", "b")
