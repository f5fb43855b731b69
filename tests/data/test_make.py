"""Both generators keep their promises about a log and the truth that comes with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest

from deeplog_nb.data import KINDS, LINE_TRUTH, TRUTH, Generated, make_hdfs, make_openstack
from deeplog_nb.data.acceptor import Acceptor
from deeplog_nb.data.hdfs import LIFE as BLOCK
from deeplog_nb.data.openstack import LIFE as MACHINE
from deeplog_nb.frames import TRUTH_SESSIONS, InputError, check

MAKERS: dict[str, Callable[..., Generated]] = {"openstack": make_openstack, "hdfs": make_hdfs}
LIVES = {"openstack": MACHINE, "hdfs": BLOCK}
IDS = {"openstack": r"\[instance: ([0-9a-f-]+)\]", "hdfs": r"(blk_-?\d+)"}
STAMPS = {
    "openstack": (r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})", "%Y-%m-%d %H:%M:%S%.3f"),
    "hdfs": (r"^(\d{6} \d{6})", "%y%m%d %H%M%S"),
}
both_logs = pytest.mark.parametrize("name", MAKERS)


@cache
def made(name: str) -> Generated:
    return MAKERS[name](11, anomalies=3)


@cache
def texts(name: str) -> pl.DataFrame:
    """The truth per line beside the line itself and its time in seconds."""
    pattern, layout = STAMPS[name]
    times = pl.col("text").str.extract(pattern).str.to_datetime(layout).dt.epoch("ms") / 1000
    lines = made(name).lines.with_columns(pl.Series("text", made(name).text.splitlines()))
    return lines.with_columns(times.alias("time"))


def sessions(name: str) -> pl.DataFrame:
    steps = made(name).lines.drop_nulls("session").group_by("session", maintain_order=True).agg("step", "line")
    return steps.join(made(name).truth.drop("step", "line"), on="session", maintain_order="left")


def highest(values: pl.Series) -> float:
    return float(np.quantile(values.to_numpy(), 0.99, method="inverted_cdf"))


@both_logs
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    """A log is a matter of its seed and arguments alone."""
    again, other = MAKERS[name](11, anomalies=3), MAKERS[name](12, anomalies=3)
    assert again.text == made(name).text
    assert again.truth.equals(made(name).truth)
    assert other.text != again.text


@both_logs
def test_frames_have_their_columns(name: str) -> None:
    """Truth and lines have the columns written down, and truth serves the evaluation."""
    assert dict(made(name).truth.schema) == TRUTH
    assert dict(made(name).lines.schema) == LINE_TRUTH
    check(made(name).truth, TRUTH_SESSIONS, "truth")


@both_logs
def test_every_kind_is_planted_as_often_as_asked(name: str) -> None:
    """Three of each kind, no more sessions anomalous than that, none of them open."""
    counts = made(name).truth.drop_nulls("kind")["kind"].value_counts()
    assert dict(counts.iter_rows()) == dict.fromkeys(KINDS, 3)
    assert made(name).truth.filter("anomalous")["open"].sum() == 0


@both_logs
def test_lines_say_whose_they_are(name: str) -> None:
    """The session of each line is the id that stands in it; background lines carry none."""
    found = texts(name)["text"].str.extract(IDS[name])
    assert found.equals(made(name).lines["session"], check_names=False, null_equal=True)


@both_logs
def test_time_runs_forward(name: str) -> None:
    """One record per line, in the order of their times."""
    assert texts(name)["time"].is_sorted()
    assert made(name).lines["line"].to_list() == list(range(1, made(name).text.count("\n") + 1))


@both_logs
def test_sessions_run_at_the_same_time(name: str) -> None:
    """At a typical moment many sessions have begun and not ended."""
    middle = texts(name)["time"].median()
    told = texts(name).drop_nulls("session").group_by("session")
    spans = told.agg(begun=pl.col("time").min() < middle, going=pl.col("time").max() > middle)
    assert spans.filter("begun", "going").height > 5


@both_logs
def test_truth_points_at_a_line_of_the_session(name: str) -> None:
    """The line of a planted anomaly belongs to its session and is marked with its kind."""
    planted = made(name).truth.filter("anomalous").join(made(name).lines, on="line")
    assert planted["session"].equals(planted["session_right"], check_names=False)
    assert planted["kind"].equals(planted["kind_right"], check_names=False)
    assert set(made(name).lines.drop_nulls("kind")["session"]) == set(planted["session"])


@both_logs
def test_the_grammar_takes_normal_sessions_and_no_impossible_one(name: str) -> None:
    """Possible or not is read off the log again, session by session, and agrees with the truth."""
    acceptor = Acceptor(LIVES[name])
    for row in sessions(name).iter_rows(named=True):
        accepted = acceptor.begins(row["step"]) if row["open"] else acceptor.reject(row["step"]) is None
        assert accepted is not row["impossible"]
        assert row["anomalous"] or accepted


@both_logs
def test_sequence_anomalies_are_impossible_and_strength_anomalies_are_not(name: str) -> None:
    """A wrong order is never an order that the process could take; slowness changes no order."""
    strong = ["slow_step", "abnormal_value"]
    planted = made(name).truth.filter("anomalous")
    assert planted.filter(~pl.col("kind").is_in(strong))["impossible"].all()
    assert not planted.filter(pl.col("kind").is_in(strong))["impossible"].any()


@both_logs
def test_sequence_anomalies_show_at_their_line(name: str) -> None:
    """The line named is the first that cannot come there; for a run cut short, the last one."""
    acceptor, order = Acceptor(LIVES[name]), ["missing_step", "extra_step", "swapped_order", "wrong_branch"]
    lines = dict(made(name).truth.select("session", "line").iter_rows())
    for row in sessions(name).filter(pl.col("kind").is_in([*order, "cut_short"])).iter_rows(named=True):
        shown = acceptor.reject(row["step"])
        assert shown is not None
        assert row["line"][min(shown, len(row["line"]) - 1)] == lines[row["session"]]


@both_logs
def test_unseen_messages_are_unseen(name: str) -> None:
    """The step of an unseen message occurs in no normal session."""
    unseen = made(name).truth.filter(pl.col("kind") == "unseen_message")["step"]
    normal = made(name).lines.filter(pl.col("kind").is_null())["step"]
    assert unseen.n_unique() == 3
    assert not unseen.is_in(normal.implode()).any()


@both_logs
def test_the_clean_share_is_clean(name: str) -> None:
    """No line of an anomalous session lies in the first half of the time."""
    times = texts(name)["time"]
    wrong = texts(name).join(made(name).truth.filter("anomalous").select("session"), on="session")
    assert wrong["time"].min() >= (times[0] + times[-1]) / 2 - 1  # type: ignore[operator]  # whole seconds


@both_logs
def test_slow_steps_are_as_slow_as_recorded(name: str) -> None:
    """Time since the session's line before, over the 99 % value of the same pair in normal sessions."""
    gaps = (
        texts(name)
        .drop_nulls("session")
        .with_columns(
            pl.col("time").diff().over("session").alias("gap"), pl.col("step").shift().over("session").alias("before")
        )
    )
    normal = gaps.join(made(name).truth.filter(~pl.col("anomalous")).select("session"), on="session")
    for line, level in made(name).truth.filter(pl.col("kind") == "slow_step").select("line", "level").iter_rows():
        [row] = gaps.filter(pl.col("line") == line).iter_rows(named=True)
        usual = normal.filter((pl.col("step") == row["step"]) & (pl.col("before") == row["before"]))["gap"]
        assert 1.5 <= level <= 4
        assert row["gap"] / highest(usual) == pytest.approx(level, abs=2e-4)


@both_logs
def test_abnormal_values_are_as_high_as_recorded(name: str) -> None:
    """The number in the text, over the 99 % value of the same message in normal sessions."""
    pattern = r"(?:used:|Took|size) (\d+(?:\.\d+)?)"
    values = texts(name).with_columns(pl.col("text").str.extract(pattern).cast(pl.Float64).alias("value"))
    normal = values.join(made(name).truth.filter(~pl.col("anomalous")).select("session"), on="session")
    for line, level in made(name).truth.filter(pl.col("kind") == "abnormal_value").select("line", "level").iter_rows():
        [row] = values.filter(pl.col("line") == line).iter_rows(named=True)
        assert 1.5 <= level <= 4
        usual = highest(normal.filter(pl.col("step") == row["step"])["value"])
        assert row["value"] / usual == pytest.approx(level, abs=2e-4)


@both_logs
def test_branches_are_common_enough_to_learn(name: str) -> None:
    """Every normal step occurs in the first half at least five times."""
    half = made(name).lines.height // 2
    steps = made(name).lines.filter(pl.col("kind").is_null()).drop_nulls("session")
    early = steps.filter(pl.col("line") <= half)["step"].value_counts()
    assert set(early["step"]) == set(steps["step"])
    assert early["count"].min() >= 5  # type: ignore[operator]


@both_logs
def test_only_the_kinds_asked_for_are_planted(name: str) -> None:
    """One kind can be had alone, and none at all."""
    assert set(MAKERS[name](1, anomalies=2, kinds=["slow_step"]).truth["kind"].drop_nulls()) == {"slow_step"}
    assert MAKERS[name](1, anomalies=0).truth["anomalous"].sum() == 0


@both_logs
def test_about_three_percent_are_anomalous_by_default(name: str) -> None:
    """Without a number, 3 % of the sessions, spread evenly over the kinds."""
    assert 0.02 < MAKERS[name](1).truth["anomalous"].mean() < 0.05  # type: ignore[operator]


@both_logs
def test_without_background_every_line_has_a_session(name: str) -> None:
    """Background is an option, and can be none."""
    assert MAKERS[name](1, background=0).lines["session"].null_count() == 0


@both_logs
def test_too_many_anomalies_are_refused(name: str) -> None:
    """The error says how many sessions there are to plant in, and what to change."""
    with pytest.raises(InputError, match="ask for fewer anomalies"):
        MAKERS[name](1, anomalies=200)


def test_seconds_reported_agree_with_the_log() -> None:
    """Building takes as long as from the first claim to that line, deallocating as from the line before."""
    normal = texts("openstack").join(made("openstack").truth.filter(pl.col("kind").is_null()), on="session")
    took = normal.with_columns(
        pl.col("text").str.extract(r"Took (\d+\.\d\d)").cast(pl.Float64).alias("told"),
        (pl.col("time") - pl.col("time").first().over("session")).alias("since_claim"),
        pl.col("time").diff().over("session").alias("since_last"),
    )
    built = took.filter(pl.col("step") == "took_build")
    freed = took.filter(pl.col("step") == "took_deallocate")
    assert (built["told"] - built["since_claim"]).abs().max() <= 0.0051  # type: ignore[operator]
    assert (freed["told"] - freed["since_last"]).abs().max() <= 0.0051  # type: ignore[operator]


def test_memory_used_and_free_agree() -> None:
    """What a claim finds used and free adds up to the limit, in planted claims too."""
    lines = texts("openstack").filter(pl.col("step").is_in(["total_memory", "memory_limit"]))
    amounts = pl.col("text").str.extract(r"(\d+\.\d\d) MB$").cast(pl.Float64)
    whole = lines.group_by("session", maintain_order=True).agg(amounts)
    sums = [sum(pair) for pair in whole["text"] if len(pair) == 2]
    assert set(sums) == {1.5 * 515_610}
