"""Which template a shape has, found by an index."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.events.align import captures, template_of
from deeplog_nb.events.masks import HOLE
from deeplog_nb.events.match import PINNED, Matcher, Pattern

SHAPES = st.lists(st.sampled_from(["open", "close", "file", "[x]", HOLE, "a=b"]), min_size=1, max_size=5).map(" ".join)
PATTERNS = st.lists(st.tuples(SHAPES, st.sampled_from([PINNED, 0, 0, 1])), max_size=8)


@settings(deadline=None, max_examples=300)
@given(PATTERNS, SHAPES)
def test_the_index_finds_what_asking_every_pattern_finds(known: list[tuple[str, int]], shape: str) -> None:
    """The pattern of the lowest rank that fits, with the same texts."""
    patterns = [Pattern(key, template_of(text), generation) for key, (text, generation) in enumerate(known, 1)]
    matcher = Matcher(tuple(patterns), tau=0.01)
    fits = [(each.rank, each.key, captures(each.literals, shape)) for each in patterns]
    said = [fit for fit in fits if fit[2] is not None and matcher._says_enough(patterns[fit[1] - 1], 1, fit[2])]
    assert matcher.fit(shape) == (min(said)[1:] if said else (0, []))


def test_unseen_shapes_of_common_words_are_matched_in_time() -> None:
    """Six thousand shapes of 8 words from 13 against as many templates, of which each word is in two thirds."""
    chance = Random(1)
    told = [" ".join(chance.choices(ascii_lowercase[:13], k=8)) for _ in range(12_000)]
    patterns = [Pattern(key, template_of(text), 0) for key, text in enumerate(told[:6000], 1)]
    matcher, began = Matcher((*patterns, Pattern(6001, ("pinned ", ""), PINNED)), tau=0.7), perf_counter()
    assert sum(matcher.fit(each)[0] > 0 for each in told[6000:]) < 10
    assert perf_counter() - began < 2
