"""Hadoop PageRank jobs, from raw container logs: a job is a session, truth per job."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts, public
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.read import read
from deeplog_nb.sessions.sessionize import sessionize

SHARE: Final = 0.5  # of the normal jobs, the first in time, that is learnt from
_JOB: Final = r"(application_\d+_\d+)"


def hadoop() -> Parts:
    """Jobs as units: the first half of the normal ones trains, templates included; all later ones are judged."""
    labels = pl.read_csv(public("hadoop", "labels.csv"))
    lines = _lines(public("hadoop", "hadoop_pagerank_logs.tar.gz"))
    starts = lines.group_by("job").agg(pl.col("time").min()).join(labels, left_on="job", right_on="application_id")
    normal = starts.filter(pl.col("label_corrected") == "Normal").sort("time")["job"]
    learnt = normal.head(round(len(normal) * SHARE)).implode()
    trained = lines.filter(pl.col("job").is_in(learnt))
    templates = Spell().fit(trained)
    rest = lines.filter(~pl.col("job").is_in(learnt))
    test = sessionize(templates.parse(rest, parameters=False), by="job").with_columns(open=pl.lit(False))
    truth = starts.filter(~pl.col("job").is_in(learnt)).select(
        session="job", anomalous=pl.col("label_corrected") != "Normal"
    )
    split = f"in time: the first {len(learnt[0])} of {len(normal)} normal jobs train, templates included"
    train = sessionize(templates.parse(trained, parameters=False), by="job").with_columns(open=pl.lit(False))
    return Parts("hadoop", "job", split, train, test, truth)


def _lines(archive: Path) -> pl.DataFrame:
    """LINES of all containers, with the ``job`` that each belongs to."""
    return read(archive).with_columns(job=pl.col("file").cast(pl.String).str.extract(_JOB, 1))
