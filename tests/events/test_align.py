"""Longest common subsequences, and the template that two texts share."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.events.align import captures, common, constants, merge, template_of, words
from deeplog_nb.events.masks import HOLE, WILDCARD

SHAPES = st.lists(st.sampled_from(["open", "close", "file", " ", ": ", "=", HOLE, "x", "#", "true"]), max_size=8).map(
    "".join
)


def longest(left: str, right: str) -> int:
    """The length of a longest common subsequence, by trying them all."""
    subsequences = [
        {"".join(each) for n in range(len(text) + 1) for each in combinations(text, n)} for text in (left, right)
    ]
    return max(map(len, subsequences[0] & subsequences[1]))


@settings(deadline=None, max_examples=100)
@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_common_is_a_longest_common_subsequence(left: str, right: str) -> None:
    """As long as the longest that a search finds, of equal words, in rising order on both sides."""
    pairs = common(left, right)
    assert len(pairs) == longest(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))


@settings(deadline=None, max_examples=300)
@given(SHAPES, SHAPES)
def test_a_merge_fits_both_shapes_and_gives_them_back(left: str, right: str) -> None:
    """What two shapes have in common matches each of them, with the rest captured."""
    template = template_of(merge(left, right))
    for shape in (left, right):
        texts = captures(template, shape)
        assert texts is not None
        assert "".join(a + b for a, b in zip(template, [*texts, ""], strict=True)) == shape


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        ("open file a for read", "open file b for read", "open file <*> for read"),
        ("open file a", "open file a", "open file a"),
        ("user=ana, ok", "user=bob, ok", "user=<*>, ok"),
        ("a b", "c d", "<*>"),
        ("job started", "job paused", "job <*>"),
        ("say (ana)", "say (anna)", "say (<*>)"),
        ("", "a", "<*>"),
    ],
)
def test_merge_keeps_delimiters(left: str, right: str, merged: str) -> None:
    """Words that differ become one wildcard, and what stands around them stays."""
    assert merge(left, right).replace(HOLE, WILDCARD) == merged


@pytest.mark.parametrize(
    ("template", "shape", "texts"),
    [
        (("a", "b"), "ab", [""]),
        (("a", "b"), "axxb", ["xx"]),
        (("aa", "aa"), "aaa", None),
        (("a", "", "b"), "axb", ["", "x"]),
        (("a",), "ab", None),
        (("", " in ", ""), "1 in 2 in 3", ["1", "2 in 3"]),
    ],
)
def test_captures_are_the_texts_between_the_literals(
    template: tuple[str, ...], shape: str, texts: list[str] | None
) -> None:
    """The first way to fit from the left; None where literals are missing or overlap."""
    assert captures(template, shape) == texts


def test_words_are_cut_at_delimiters_and_holes() -> None:
    """A hole is a word of its own even where it touches another."""
    assert words(f"took{HOLE} s: (a=b)") == ["took", HOLE, "s", "a", "b"]


def test_punctuation_alone_is_no_word() -> None:
    """Nor does a message that has it otherwise become another."""
    assert words(f"to #{HOLE}# -> z+ ...") == ["to", HOLE, "z+"]


def test_what_a_field_holds_does_not_tell_messages_apart() -> None:
    """The names of fields do; ``true`` and ``null`` are what a program's values print as."""
    assert constants('lock tag="View Lock", ws=Source{x} on=yes is null') == ["lock", "tag", "ws", "on", "is"]
