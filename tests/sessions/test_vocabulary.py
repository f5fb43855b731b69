"""Codes of keys: what is not known is unknown, whatever it is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.sessions.vocabulary import FIRST, UNKNOWN, Vocabulary

KEYS = st.lists(st.integers(0, 50), max_size=12)


@settings(deadline=None, max_examples=200)
@given(KEYS, KEYS)
def test_a_key_is_its_place_among_the_known_or_unknown(known: list[int], asked: list[int]) -> None:
    """Known keys are numbered as they rise; key 0 and all others have the code of unknown, even where none is known."""
    order = sorted(set(known) - {0})
    codes = Vocabulary.of(known).codes(np.array(asked, dtype=np.int64))
    assert codes.tolist() == [order.index(key) + FIRST if key in order else UNKNOWN for key in asked]


def test_the_end_comes_after_the_keys() -> None:
    """Two keys: codes 0 and 1 are padding and unknown, the next-code 2 is the end."""
    known = Vocabulary.of([7, 3])
    assert (known.keys, known.inputs, known.end) == ((3, 7), 4, 2)
