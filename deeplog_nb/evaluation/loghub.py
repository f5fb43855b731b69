"""The parser against the 2,000-line LogHub samples: does it group lines as people did?"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import public
from deeplog_nb.events.spell import Spell

SYSTEMS: Final = (
    "Apache",
    "BGL",
    "HDFS",
    "Hadoop",
    "Linux",
    "OpenSSH",
    "OpenStack",
    "Spark",
    "Thunderbird",
    "Zookeeper",
)
PUBLISHED: Final = {
    "Apache": 1.0, "BGL": 0.787, "HDFS": 1.0, "Hadoop": 0.778, "Linux": 0.605,
    "OpenSSH": 0.554, "OpenStack": 0.764, "Spark": 0.905, "Thunderbird": 0.844, "Zookeeper": 0.964,
}  # fmt: skip
"""Grouping accuracy that logparser's Spell reaches, its threshold chosen for each system."""


def loghub() -> pl.DataFrame:
    """``system, templates, found, ga, fga, ga_corrected, fga_corrected, published``; one setting for all systems.

    The second pair is by the labels as Khan et al. (ICSE 2022) corrected them. The last row is the mean.
    """
    rows = pl.DataFrame([_one(system) for system in SYSTEMS])
    return pl.concat([rows, rows.mean().with_columns(system=pl.lit("mean")).cast(rows.schema)])


def _one(system: str) -> dict[str, object]:
    truth, keys = _labelled(system, "structured")
    other_truth, other_keys = _labelled(system, "structured_corrected")
    corrected = accuracy(other_keys, other_truth)
    return {
        "system": system,
        "templates": truth.n_unique(),
        "found": keys.n_unique(),
        **accuracy(keys, truth),
        **{f"{name}_corrected": figure for name, figure in corrected.items()},
        "published": PUBLISHED[system],
    }


def _labelled(system: str, labels: str) -> tuple[pl.Series, pl.Series]:
    """The template that people saw in each line, and our key of it."""
    wanted = pl.read_csv(public("loghub_2k", system, f"{system}_2k.log_{labels}.csv"), infer_schema=False)
    lines = wanted.select(message=pl.col("Content").fill_null(""))
    return wanted["EventTemplate"], Spell().fit(lines).parse(lines, parameters=False)["key"]


def accuracy(keys: pl.Series, truth: pl.Series) -> dict[str, float]:
    """``ga``: share of lines in a group that is exactly a true one; ``fga``: F1 of the groups that are.

    Source: grouping accuracy of Zhu et al. (ICSE-SEIP 2019), its F1 over templates of Jiang et al. (ISSTA 2024).

    >>> accuracy(pl.Series([1, 1, 2, 3]), pl.Series(["a", "a", "b", "b"]))
    {'ga': 0.5, 'fga': 0.4}
    """
    both = pl.DataFrame({"key": keys, "event": truth}).with_row_index("line")
    groups = both.group_by("key").agg("line")
    wanted = both.group_by("event").agg("line")
    right = groups.join(wanted, on="line")
    return {
        "ga": float(right["line"].list.len().sum() / len(both)),
        "fga": 2 * len(right) / (len(groups) + len(wanted)),
    }
