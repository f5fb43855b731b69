"""What is variable at sight is masked, and comes back."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.events.masks import HOLE, WILDCARD, messages, shape, values
from deeplog_nb.frames import FrameError

HOSTILE = st.one_of(
    st.text(), st.lists(st.sampled_from([HOLE, WILDCARD, "<*", "*>", "1", " ", "a", "/", ".", "\n"])).map("".join)
)


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Took 20.58 seconds.", "Took <*> seconds."),
        ("from /10.1.2.3:50010 to 10.1.2.4", "from <*> to <*>"),
        ("block blk_-17 of /data/part7/x", "block <*> of <*>"),
        ("at 10:15:00.250", "at <*>"),
        ("temp -3, load 7%", "temp <*>, load <*>"),
        ("no number here.", "no number here."),
        ("GET /cart/items?colour=red&size=l done", "GET <*> done"),
        ("since Mon Mar  2 10:15:00 2026 up", "since <*> up"),
        ("read and/or write, 30 % of 1.5 KB or 7 B", "read and/or write, <*> % of <*> or <*>"),
        ("bssid 5c:50:aa:bc:18:1c up, not ab:cd or 7", "bssid <*> up, not ab:cd or <*>"),
        ("no route\n  at Pool\n  at Main", "no route<*>"),
        ("\n\nbanner up\r\nmore", "<*>banner up<*>"),
        (f"forged {WILDCARD} and {HOLE}", "forged <*> and <*>"),
    ],
)
def test_what_is_variable_at_sight_is_masked(message: str, masked: str) -> None:
    """Numbers, addresses, ids, paths, dates and sizes are masked; words and punctuation are not."""
    assert pl.select(shape(pl.lit(message))).item().replace(HOLE, WILDCARD) == masked


@settings(deadline=None, max_examples=200)
@given(HOSTILE)
def test_values_put_back_into_the_shape_are_the_message(message: str) -> None:
    """As many values as holes, and together they give the message, whatever it holds."""
    masked, found = pl.select(shape=shape(pl.lit(message)), values=values(pl.lit(message))).row(0)
    literals = masked.split(HOLE)
    assert "".join(a + b for a, b in zip(literals, [*found, ""], strict=True)) == message


def test_null_messages_are_refused() -> None:
    """How many, where the first is, and what to do."""
    with pytest.raises(FrameError, match=r"2 of 3 messages are null, the first in row 1; fill or drop them"):
        messages(pl.DataFrame({"message": ["a", None, None]}))
