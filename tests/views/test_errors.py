"""Charts of errors and values: what they say, what they draw, and that log text stays text."""

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import ERRORS, FrameError, InputError
from deeplog_nb.views.errors import POINTS, error_series, value_series


def errors(count: int, *, high: tuple[int, ...] = (), bound: float = 9.0) -> pl.DataFrame:
    told = {
        "session": [f"s{at}" for at in range(count)],
        "position": [1] * count,
        "key": [1] * count,
        "error": [100.0 if at in high else (at % 7) / 7 for at in range(count)],
        "bound": [bound] * count,
        "tail": [1e-6 if at in high else 0.5 for at in range(count)],
        "worst": ["elapsed"] * count,
        "expected": [3.0] * count,
        "seen": [13.0 if at in high else 3.1 for at in range(count)],
        "reach": [3.0] * count,
        "unit": ["s"] * count,
    }
    return pl.DataFrame({name: [None] * count for name in ERRORS} | told, schema=ERRORS)


def drawn(picture) -> list[dict]:
    return [row for rows in picture.spec()["datasets"].values() for row in rows if "number" in row]


def test_the_finding_is_the_title():
    """How many are over which bound, of how many."""
    assert str(error_series(errors(50, high=(7, 30)))) == "2 of 50 values are over their 99.9 % bound · key 1"
    assert str(value_series(errors(50, high=(7,)), 1)) == (
        "1 of 50 values outside the band · elapsed of key 1, where it surprised most"
    )


def test_a_long_series_is_thinned_and_every_flagged_point_stays():
    """At most 2,000 usual points; the caption says how many of how many."""
    high = tuple(range(5, 30_000, 1000))
    picture = error_series(errors(30_000, high=high))
    points = {row["number"]: row["flagged"] for row in drawn(picture)}
    assert sum(points.values()) == len(high)
    assert len(points) <= POINTS + len(high)
    assert f"of 30,000 points drawn, all {len(high)} flagged" in picture.sentence
    assert len(picture.data()) == 30_000


def test_each_confidence_has_its_line():
    """Three bounds, three rules; the highest decides what is flagged."""
    several = {0.98: errors(20, bound=2.0), 0.99: errors(20, bound=4.0), 0.999: errors(20, high=(3,))}
    spec = error_series(several).spec()
    labels = {row["label"] for rows in spec["datasets"].values() for row in rows if "label" in row}
    assert labels == {"98 %", "99 %", "99.9 %"}
    assert "dashed: 99 %, 98 %" in spec["title"]["subtitle"]


def test_bounds_that_differ_are_drawn_as_multiples():
    """Two series of one key with bounds of their own: the axis says error / bound."""
    mixed = pl.concat([errors(10, bound=9.0), errors(10, high=(3,), bound=25.0)])
    assert "error / bound" in str(error_series(mixed).spec())


def test_log_text_is_no_markup_and_no_expression():
    """A template with markup, an escape or a backslash is drawn as text; the PNG is made all the same."""
    lines = pl.DataFrame({"message": ["<script>alert(1)</script> \x1b[31m \\u0041 done"]})
    picture = error_series(errors(20, high=(3,)), templates=Spell().fit(lines))
    assert "\x1b" not in str(picture.spec())
    assert picture.png().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_refused():
    """No judged entry, no such position, errors of different sessions, none at all."""
    with pytest.raises(FrameError, match="no judged entry"):
        error_series(errors(5), keys=[99])
    with pytest.raises(InputError, match="has no position 'took'; it has elapsed"):
        value_series(errors(5), 1, position="took")
    with pytest.raises(InputError, match="not of the same sessions"):
        error_series({0.99: errors(5), 0.999: errors(6)})
    with pytest.raises(InputError, match="no errors to draw"):
        error_series({})
