from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest
import vl_convert

from deeplog_nb.frames import RANKS, FrameError, InputError
from deeplog_nb.views.charts import rank_cdf
from deeplog_nb.views.display import Picture

END = (None, 1, None)  # key, count, rank of an end row


def ranks(*entries: tuple[int | None, int, int | None]) -> pl.DataFrame:
    rows = [["a", at, key, count, False, rank, 0.5] for at, (key, count, rank) in enumerate(entries)]
    return pl.DataFrame(rows, schema=RANKS, orient="row")


def seen(*at_rank: int) -> pl.DataFrame:
    return ranks(*((1, 1, rank) for rank in at_rank))


def test_the_curve_counts_every_session_that_an_entry_stands_for() -> None:
    """An entry weighs its count, ranks that never occur repeat the share before them."""
    picture = rank_cdf(ranks((1, 6, 1), (2, 3, 2), (1, 1, 4), END), g=2)
    assert picture.data().rows() == [(1, 6, 0.6), (2, 3, 0.9), (3, 0, 0.9), (4, 1, 1.0)]
    assert picture.sentence.startswith("90.0 % of next keys are within the top 2")


def test_an_unseen_key_is_an_entry_that_is_never_within() -> None:
    """Unseen keys stay in the denominator, so that the curve ends below 100 %, and are told."""
    picture = rank_cdf(ranks((1, 3, 1), (9, 1, None), END), g=1)
    assert picture.data()["share"].to_list() == [0.75]
    assert "1 unseen, never within" in picture.sentence


def test_end_rows_are_no_entries() -> None:
    """The row that says how likely the session was to end counts as no next key."""
    assert rank_cdf(seen(1, 2).vstack(ranks(END))).data().equals(rank_cdf(seen(1, 2)).data())


def test_the_curve_reaches_to_g_even_where_no_key_ranks_so_low() -> None:
    """A g beyond the last rank is drawn where it is, at the share that it has."""
    assert rank_cdf(seen(1, 1, 3), g=5).data()["share"].to_list() == pytest.approx([2 / 3, 2 / 3, 1, 1, 1])


def test_all_within_is_exactly_all() -> None:
    """No rounding of the division leaves a share of 0.9999999999999999 and a title that says so."""
    assert rank_cdf(ranks((1, 20, 1), (2, 29, 2))).sentence.startswith("100 % of next keys")


def test_a_share_just_below_one_is_never_told_as_all() -> None:
    """One outsider in a million stays visible in the title."""
    assert rank_cdf(ranks((1, 999_999, 1), (2, 1, 30))).sentence.startswith("99.9999 %")


def test_an_axis_that_does_not_start_at_zero_says_so() -> None:
    """The share axis zooms to where the curve is, and its title names the start."""
    assert "axis starts at 70 %" in str(rank_cdf(seen(*[1] * 72, *[2] * 28)).spec())
    assert "axis starts at" not in str(rank_cdf(seen(*[1] * 10, *[2] * 90)).spec())


@pytest.mark.parametrize("frame", [seen(), ranks(END), seen(1).drop("rank"), seen(1).cast({"rank": pl.Int64})])
def test_a_frame_without_ranks_is_refused(frame: pl.DataFrame) -> None:
    """No entries, a missing or a mistyped column: an error that says so, never an empty chart."""
    with pytest.raises(FrameError, match=r"no next keys|rank"):
        rank_cdf(frame)


@pytest.mark.parametrize("g", [0, -1, 65_536])
def test_a_g_that_is_no_rank_is_refused(g: int) -> None:
    """Ranks go from 1 to what the column holds."""
    with pytest.raises(InputError, match="ranks go from 1"):
        rank_cdf(seen(1), g=g)


def test_ten_thousand_keys_are_still_drawn() -> None:
    """More ranks than altair takes rows are thinned where the logarithmic axis cannot show them."""
    picture = rank_cdf(seen(1, 10_000))
    assert (picture.data().height, len(str(picture.spec())) < 200_000) == (10_000, True)


def compiled(picture: Picture, version: str) -> str:
    svg = vl_convert.vegalite_to_svg(picture.spec(), vl_version=version, allowed_base_urls=[])
    return re.sub(r"clip\d+", "clip", svg)


@pytest.mark.parametrize("picture", [rank_cdf(seen(1, 2, 12)), rank_cdf(seen(*range(1, 80)), g=70)])
def test_every_vega_lite_draws_the_same_chart(picture: Any) -> None:
    """JupyterLab's Vega-Lite is older than altair's: what we emit means the same in all that we can ask."""
    drawings = {compiled(picture, version) for version in vl_convert.get_vegalite_versions()}
    assert len(drawings) == 1


def test_a_chart_says_in_words_what_it_shows() -> None:
    """The description carries the finding for who cannot see the picture."""
    assert rank_cdf(seen(1, 2), g=1).spec()["description"].endswith("50.0 % of next keys are within the top 1.")
