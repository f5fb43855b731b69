"""Times are read the quick way where that gives what polars gives, and that way otherwise."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.frames import InputError
from deeplog_nb.lines.layouts import layouts
from deeplog_nb.lines.times import check_times, read_epochs, read_times

FORMS = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d-%H.%M.%S%.f", "%d/%b/%Y:%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f%#z"]
ENDS = [
    "",
    ".",
    ".5",
    ".123",
    ".123456",
    ".123456789",
    ".1234567891",
    ".+5",
    ".-5",
    ". 5",
    "Z",
    ".5Z",
    "+01:00",
    ".5+0100",
]


@settings(deadline=None, max_examples=200)
@given(
    form=st.sampled_from(FORMS),
    when=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    ends=st.lists(st.sampled_from(ENDS), min_size=1, max_size=6),
    cut=st.integers(0, 2),
)
def test_the_quick_way_is_the_slow_way(form: str, when: datetime, ends: list[str], cut: int) -> None:
    """The same times, and nulls where there is none: whatever stands behind the seconds."""
    plain = form.split("%.f")[0].replace("%Y", f"{when.year:04}")
    texts = pl.Series([when.strftime(plain)[cut and 1 :] + end for end in ends])
    if form.endswith("z"):
        marked = texts.str.replace("Z$", "+00:00")
        slow = marked.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)
    else:
        slow = texts.str.to_datetime(form, time_unit="us", strict=False)
    slow = slow.set(~slow.dt.year().is_between(1, 9999), None)  # what Python's datetime can hold
    assert read_times(texts, [form]).to_list() == slow.to_list()


def test_formats_are_tried_row_by_row() -> None:
    """The first that fits a text is taken, and other rows may have another."""
    texts = pl.Series(["2026-03-02 10:15:00.5", None, "02.03.2026", "soon"])
    found = read_times(texts, ["%Y-%m-%d %H:%M:%S%.f", "%d.%m.%Y"])
    assert found.to_list() == [datetime(2026, 3, 2, 10, 15, 0, 500_000), None, datetime(2026, 3, 2), None]


def test_letters_and_commas_of_a_format_are_those_of_the_text() -> None:
    """Formats that say them find them; those that begin with a date and a blank find a T as well."""
    assert read_times(pl.Series(["2026-03-02T10:15:00"]), ["%Y-%m-%dT%H:%M:%S"]).null_count() == 0
    assert read_times(pl.Series(["2026-03-02T10:15:00"]), ["%Y-%m-%d %H:%M:%S"]).null_count() == 0
    assert read_times(pl.Series(["Tue Mar 03 10:15:00 2026"]), ["%a %b %e %H:%M:%S %Y"]).null_count() == 0
    assert read_times(pl.Series(["03/02/2026, 10:15:00"]), ["%m/%d/%Y, %H:%M:%S"]).null_count() == 0


def test_a_leap_day_without_a_year_is_read() -> None:
    """The year that stands in is a leap year."""
    assert read_times(pl.Series(["0229 10:15:00.5"]), ["%m%d %H:%M:%S%.f"], lacks_year=True)[0].day == 29


@pytest.mark.parametrize("text", ["1772446500123456789", "1772446500123456", "-1", "0", "1.5", "1e9"])
def test_whole_numbers_are_read_exactly(text: str) -> None:
    """Nanoseconds have more digits than a float."""
    exact = {"1772446500123456789": 1772446500123456, "1772446500123456": 1772446500123456, "-1": -1_000_000, "0": 0}
    wanted = exact.get(text, int(float(text) * 1e6))
    assert read_epochs(pl.Series([text])).dt.epoch("us").to_list() == [wanted]


@pytest.mark.parametrize(
    ("form", "said"), [("%H:%M:%S", "%H:%M:%S says no date"), ("%Y-%m-%d %H", "%Y-%m-%d %H says no"), ("%Q", "%Q says")]
)
def test_a_format_that_can_read_no_time_is_refused(form: str, said: str) -> None:
    """What it would write it could not read; better said before a file is read."""
    with pytest.raises(InputError, match=f"layout 'mine': {said}"):
        check_times([form], "layout 'mine'")


@pytest.mark.parametrize("form", sorted({form for layout in layouts().values() for form in layout.time}))
def test_every_shipped_format_reads_what_it_writes(form: str) -> None:
    """What we ask of other people's formats holds for ours."""
    check_times([form], "ours")
