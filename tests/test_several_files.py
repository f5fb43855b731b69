"""Logs without ids, a file a service: what a folder such as /var/log holds."""

import polars as pl
import pytest

from deeplog_nb.detector import Detector
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training

STEPS = ["wait for work", "take the job", "run the job", "store the result", "tell the caller"]


def service(name: str, lines: int, start: int = 0) -> pl.DataFrame:
    """A service that goes round its steps, each said in its own words."""
    return pl.DataFrame(
        {
            "file": [f"{name}.log"] * lines,
            "line": range(1, lines + 1),
            "message": [f"{name}: {STEPS[(start + at) % 5]}" for at in range(lines)],
        },
        schema_overrides={"file": pl.Categorical(), "line": pl.UInt64()},
    )


@pytest.fixture(scope="module")
def detector() -> Detector:
    normal = pl.concat([service(name, 400) for name in ("alpha", "beta", "gamma")])
    return Detector.fit(normal, keys=KeyModel(history=3, units=16, start=False, end=False, training=Training(epochs=8)))


def test_every_file_is_learnt_from(detector):
    """No service is held out as a whole: all three are known, and nothing of them is an alarm."""
    again = pl.concat([service(name, 60) for name in ("alpha", "beta", "gamma")])
    assert not detector.judge(again)["anomalous"].any()


def test_a_file_may_begin_anywhere(detector):
    """A rotated file that begins in mid-course is no alarm."""
    assert not detector.judge(service("beta", 40, start=3))["anomalous"].any()


def test_what_is_out_of_order_is_found(detector):
    """A job that is taken twice in one of the files is the alarm, at its line."""
    lines = service("gamma", 40)
    twice = pl.concat([lines.head(22), lines.slice(21, 1), lines.slice(22)])
    odd = twice.with_columns(line=pl.int_range(1, 42, dtype=pl.UInt64, eager=True))
    assert detector.judge(odd).filter("anomalous")["line"].to_list()[0] == 23


def test_an_unseen_message_is_found_also_at_the_very_beginning(detector):
    """Where there is no history yet to judge by, a new message is new all the same."""
    lines = service("alpha", 40).with_columns(
        message=pl.when(pl.col("line") == 1).then(pl.lit("disk on fire")).otherwise("message")
    )
    assert detector.judge(lines).filter("unseen")["line"].to_list() == [1]


def test_the_policy_says_what_it_counted_in(detector):
    """There are no sessions here, so the bounds are not said to come from any."""
    assert "windows of 100 lines" in detector.policy.source


def test_a_model_that_is_handed_in_is_not_touched():
    """Two detectors fitted with the same model object do not share it."""
    model = KeyModel(history=3, units=8, layers=1, training=Training(epochs=2))
    first, second = (Detector.fit(service(name, 300), keys=model) for name in ("alpha", "beta"))
    assert first.keys is not second.keys
    assert "not fitted" in repr(model)
