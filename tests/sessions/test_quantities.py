"""Texts as amounts: what is a number, in which unit, and what is none."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.sessions.quantities import UNITS, amount, number, stated, unit


def told(expression, *texts: str | None) -> list[object]:
    return (
        pl.DataFrame({"text": texts}, schema={"text": pl.String})
        .select(expression(pl.col("text")))
        .to_series()
        .to_list()
    )


def test_numbers_are_read_and_other_texts_are_none():
    """Signs, decimals and exponents count; hexadecimals, addresses, clock times and words do not."""
    assert told(number, "7", "-1.5", "+2e3", ".5", "0x1f", "10.0.0.1", "10:15", "blk_7", "", None) == [
        7, -1.5, 2000, 0.5, None, None, None, None, None, None,
    ]  # fmt: skip


def test_a_unit_that_nobody_knows_makes_no_amount():
    """``7 cats`` is text; ``7 MB`` is not."""
    assert told(unit, "7 MB", "7MB", "7", "7 cats", "45%") == ["MB", "MB", "", None, "%"]


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [("1.5 GB", "MB", 1536.0), ("250ms", "s", 0.25), ("3", "s", 3.0), ("2 h", "MB", None), ("1 kB", "B", 1024.0)],
)
def test_amounts_are_told_in_the_wanted_unit(text, wanted, value):
    """Sizes count in 1024s; a bare number is in the position's unit; what is of another kind is none."""
    assert told(lambda column: amount(column, pl.lit(wanted)), text) == [value]


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=12),
        st.builds(
            "{}{}{}".format,
            st.one_of(st.floats(), st.integers()),
            st.sampled_from(["", " ", "\n", "\t ", "\x1c", "\u2003"]),
            st.sampled_from([*UNITS, "cats", "%", "\n"]),
        ),
    ),
    st.sampled_from([*UNITS, "cats"]),
)
def test_one_text_states_what_a_column_of_them_states(text: str, wanted: str):
    """The answer without a frame is the frame's, to the last digit."""
    frame = pl.DataFrame({"text": [text], "wanted": [wanted]})
    assert stated(text, wanted) == frame.select(amount(pl.col("text"), pl.col("wanted"))).item()
