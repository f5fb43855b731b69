"""Our Spell, shape by shape, beside the published one, line by line, and beside what people wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from tests.events.oracle import accuracy, classic, rand, subsequence

SYSTEMS = ("Apache", "BGL", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark", "Thunderbird", "Zookeeper")
LABELS = ("structured", "structured_corrected")


def sample(data: Callable[[str], Path], system: str, labels: str) -> pl.DataFrame:
    """``message`` and ``truth`` of a LogHub sample."""
    table = pl.read_csv(data(f"loghub_2k/{system}/{system}_2k.log_{labels}.csv"), infer_schema=False)
    return table.select(message=pl.col("Content").fill_null(""), truth="EventTemplate")


def keys(log: pl.DataFrame) -> pl.Series:
    """What our Spell makes of it, with no setting changed."""
    return Spell().fit(log).parse(log, parameters=False)["key"]


def test_the_oracle_does_what_the_paper_says() -> None:
    """Half of the tokens are enough; the template is cut down to what is common, and then is easier to miss."""
    assert classic(["took 3 s to build", "took 7 s to build", "up", "took 7 m"]) == [0, 0, 1, 2]
    assert subsequence(["took", "3", "s"], ["it", "took", "7", "s"]) == ["took", "s"]


def test_the_measures_are_those_of_the_literature() -> None:
    """A group counts only if it is whole and pure; the Rand index counts pairs."""
    assert accuracy([1, 1, 2, 2], list("aabc")) == (0.5, 0.4)
    assert rand([1, 1, 2, 2], list("aabc")) == 5 / 6


@pytest.mark.parametrize("labels", LABELS)
def test_lines_are_grouped_as_people_group_them(data: Callable[[str], Path], labels: str) -> None:
    """One configuration: grouping accuracy 0.96 in the mean of ten systems, 0.75 in each, by both sets of labels."""
    logs = [sample(data, system, labels) for system in SYSTEMS]
    exact = [accuracy(keys(log), log["truth"])[0] for log in logs]
    assert sum(exact) / len(exact) >= 0.96
    assert min(exact) >= 0.75


@pytest.mark.parametrize("system", SYSTEMS)
def test_shape_by_shape_agrees_with_line_by_line(data: Callable[[str], Path], system: str) -> None:
    """Nine of ten pairs of lines are together, or apart, as in the published algorithm; people side with ours."""
    log = sample(data, system, "structured_corrected")
    ours, theirs = keys(log), classic(log["message"].to_list())
    assert rand(ours, theirs) >= 0.9
    assert accuracy(ours, log["truth"]) >= accuracy(theirs, log["truth"])


@pytest.mark.parametrize("options", [{"tau": 0.6}, {"tau": 0.75}, {"split": 3}, {"split": 6}, {"split": 12}])
def test_the_settings_are_no_knife_edge(data: Callable[[str], Path], options: dict[str, float]) -> None:
    """A little more or less of either changes the mean by one in a hundred lines at the most."""
    logs = [sample(data, system, "structured_corrected") for system in SYSTEMS]
    other = [Spell(**options).fit(log).parse(log, parameters=False)["key"] for log in logs]  # type: ignore[arg-type]
    exact = [accuracy(found, log["truth"])[0] for found, log in zip(other, logs, strict=True)]
    assert sum(exact) / len(exact) >= 0.98
