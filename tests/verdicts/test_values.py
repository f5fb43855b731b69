"""The rules timing and value: apart, only where the key rules passed, with a reason in the log's own units."""

import polars as pl
import pytest

from deeplog_nb.frames import ERRORS, RANKS, InputError
from deeplog_nb.verdicts.calibrate import calibrate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.patterns import patterns
from deeplog_nb.verdicts.policy import Policy

KEYS = [1, 2, 3, None]


def ranks(*ranked: int | None) -> pl.DataFrame:
    told = {"session": "a", "position": range(4), "key": KEYS, "count": 1, "open": False}
    return pl.DataFrame(
        told | {"rank": ranked, "probability": [0.0 if r is None else 0.5 for r in ranked]}, schema=RANKS
    )


def errors(**columns: object) -> pl.DataFrame:
    blank = {name: [None] * 3 for name in ERRORS}
    return pl.DataFrame(
        blank | {"session": ["a"] * 3, "position": [0, 1, 2], "key": [1, 2, 3]} | columns, schema=ERRORS
    )


ODD = errors(
    tail=[0.5, 1e-6, 1e-9],
    worst=["elapsed", "elapsed", "took"],
    seen=[3.0, 41.2, 51.594],
    expected=[3.1, 3.1, 20.6],
    unit=["s", "s", "seconds"],
)


def test_timing_and_value_are_rules_apart():
    """The wait raises one, the stated number the other; each says what came and what was expected."""
    verdicts = judge(ranks(1, 1, 1, 1), ODD, policy=Policy())
    assert verdicts["timing"].to_list() == [False, True, False, False]
    assert verdicts["value"].to_list() == [False, False, True, False]
    assert verdicts["anomalous"].to_list() == [False, True, True, False]
    assert verdicts["why"].to_list()[1:3] == [
        "elapsed 41.2 s, expected 3.1 s",
        "took 51.6 seconds, expected 20.6 seconds",
    ]
    assert verdicts["score"].round(1).to_list()[1:3] == [6.0, 9.0]


def test_a_reason_has_a_bounded_length():
    """A number of 300 digits and a text of 10,000 characters are told in a line."""
    told = errors(
        tail=[1e-9] * 3, worst=["took"] * 3, seen=[None, 1e300, -4e15], expected=[None, 1, 2], text=["x" * 9999, *"  "]
    ).with_columns(text=pl.when(pl.col("position") == 0).then("text"))
    why = judge(ranks(1, 1, 1, 1), told, policy=Policy())["why"].to_list()
    assert why[0] == f"took ‘{'x' * 79}…’, a value never seen in training"
    assert why[1:3] == ["took 1e+300, expected 1", "took -4e+15, expected 2"]


def test_they_fire_only_where_the_key_rules_passed():
    """An unlikely or unseen key is an anomaly of its order, not of its values (paper, 3.2)."""
    verdicts = judge(ranks(1, 12, None, 1), ODD, policy=Policy(g=9))
    assert verdicts.select("unseen", "unlikely", "timing", "value").rows()[1:3] == [
        (False, True, False, False),
        (True, False, False, False),
    ]


def test_without_errors_nothing_changes():
    """The columns are there, and false."""
    verdicts = judge(ranks(1, 1, 1, 1), policy=Policy())
    assert verdicts.select(pl.any_horizontal("timing", "value").any()).item() is False


def test_the_policys_confidence_decides():
    """A tail of 1e-6 is odd at 99.9 %, not at 99.99999 %."""
    assert judge(ranks(1, 1, 1, 1), ODD, policy=Policy(confidence=1 - 1e-7))["timing"].sum() == 0
    with pytest.raises(InputError, match="confidence is 2"):
        Policy(confidence=2)


def test_a_new_category_is_a_value():
    """It is quoted, whatever its text; the name of the position goes first."""
    new = errors(worst=[None, "verb", None], text=[None, "<b>PUT", None], tail=[None, 0.01, None])
    verdicts = judge(ranks(1, 1, 1, 1), new, policy=Policy())
    assert verdicts["why"][1] == "verb ‘<b>PUT’, a value never seen in training"
    assert verdicts["value"].to_list() == [False, True, False, False]


def test_a_pattern_is_the_key_and_the_worst_position():
    """Whatever key came before."""
    found = patterns(judge(ranks(1, 1, 1, 1), ODD, policy=Policy()), per="line")
    assert found.select("rule", "before", "key", "worst").rows() == [
        ("value", None, 3, "took"),
        ("timing", None, 2, "elapsed"),
    ]


def test_confidence_is_calibrated_on_held_out_sessions():
    """Among 1,000 normal sessions whose tails are uniform, a rate of 5 % is approached with caution: a tenth of it."""
    one = ranks(1, 1, 1, 1).head(1)
    many = pl.concat([one.with_columns(session=pl.lit(f"s{at}")) for at in range(1000)])
    told = {"session": many["session"], "position": [0] * 1000, "key": [1] * 1000}
    told |= {"tail": [(at + 1) / 1000 for at in range(1000)]}
    tails = pl.DataFrame({name: [None] * 1000 for name in ERRORS} | told, schema=ERRORS)
    policy = calibrate(many, tails, rate=0.05)
    assert 0.003 <= (tails["tail"] <= 1 - policy.confidence).mean() <= 0.005
