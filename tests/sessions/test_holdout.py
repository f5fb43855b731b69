"""What is held out is whole, later, and never lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.frames import InputError
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.sessions.pieces import pieces

LENGTHS = st.lists(st.integers(1, 5), min_size=2, max_size=8)


def sessions(*lengths: int, hours: Sequence[int | None] | None = None) -> pl.DataFrame:
    """Sessions a, b, c, … of these lengths; each begins at its hour."""
    rows = [(chr(97 + n), at, at + 1, 1, False) for n, length in enumerate(lengths) for at in range(length)]
    u32 = pl.UInt32
    schema = {"session": pl.String, "position": u32, "key": u32, "count": u32, "open": pl.Boolean}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if hours is None:
        return frame
    begin = {chr(97 + n): hour and datetime(2026, 3, 2, hour) for n, hour in enumerate(hours)}
    return frame.with_columns(time=pl.col("session").replace_strict(begin, return_dtype=pl.Datetime("us")))


@settings(deadline=None, max_examples=100)
@given(LENGTHS, st.floats(0.05, 0.95), st.data())
def test_no_session_is_cut_and_the_later_ones_are_held_out(
    lengths: list[int], share: float, draw: st.DataObject
) -> None:
    """Both parts together are the whole, no session is in both, and none held out began before one that is not."""
    hours = draw.draw(st.lists(st.integers(1, 23), min_size=len(lengths), max_size=len(lengths)))
    whole = sessions(*lengths, hours=hours)
    earlier, later = holdout(whole, share)
    if 0 < round(len(lengths) * share) < len(lengths):
        assert pl.concat([earlier, later]).sort("session", "position").equals(whole)
        assert not set(earlier["session"]) & set(later["session"])
        assert max(earlier["time"]) <= min(later["time"])
        assert later["session"].n_unique() == round(len(lengths) * share)


def test_order_of_time_decides() -> None:
    """The session that began last is held out, wherever it stands; by order, the one that stands last is."""
    whole = sessions(1, 1, 1, hours=[3, 1, 2])
    assert [part["session"].to_list() for part in holdout(whole, 0.3)] == [["b", "c"], ["a"]]
    assert [part["session"].to_list() for part in holdout(whole, 0.3, by="order")] == [["a", "b"], ["c"]]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_one_session_is_cut_at_its_end(share: float) -> None:
    """A file read as one session: its last entries are held out, and what was cut is open."""
    earlier, later = holdout(sessions(10), share)
    assert (len(earlier), len(later)) == (round(10 * (1 - share)), round(10 * share))
    assert earlier["key"].to_list() + later["key"].to_list() == list(range(1, 11))
    assert (earlier["open"].all(), later["position"][0]) == (True, 0)


@pytest.mark.parametrize("share", [0, 1, -0.5, 2])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """Nothing and everything cannot be held out."""
    with pytest.raises(InputError, match="between 0 and 1"):
        holdout(sessions(1, 1), share)


def test_an_unknown_order_is_refused() -> None:
    """A misspelt ``by`` is not taken for one of them."""
    with pytest.raises(InputError, match="'time', 'order', 'entries' or 'random'"):
        holdout(sessions(1, 1), 0.5, by="tmie")  # type: ignore[arg-type]


def test_a_random_split_of_windows_of_one_stream_is_refused_unless_forced(sessions):
    """Neighbouring windows in both parts are almost the same; forced, the split is made by the seed."""
    windows = pieces(sessions([1, 2, 3, 4] * 10), 4)
    with pytest.raises(InputError, match="windows of the same streams"):
        holdout(windows, 0.3, by="random")
    first, second = (holdout(windows, 0.3, by="random", seed=seed, force=True)[1] for seed in (1, 2))
    assert first["session"].n_unique() == second["session"].n_unique() == 3
    assert not first.equals(second)


def test_a_random_split_of_sessions_that_share_lines_is_refused(sessions):
    """A line in two sessions would be learnt and then judged."""
    shared = sessions([1, 2], [1, 2]).with_columns(file=pl.lit("x"), line=pl.lit(7))
    with pytest.raises(InputError, match="in more than one session"):
        holdout(shared, 0.5, by="random")


def test_whole_sessions_may_be_split_at_random(sessions):
    """Sessions of their own share nothing."""
    earlier, later = holdout(sessions([1], [2], [3], [4]), 0.5, by="random", seed=3)
    assert sorted([*earlier["session"], *later["session"]]) == ["s0", "s1", "s2", "s3"]
