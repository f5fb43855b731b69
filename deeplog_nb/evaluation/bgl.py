"""Blue Gene/L, the first 60,000 raw lines: one stream without sessions, truth per line."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts, public
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.read import read
from deeplog_nb.sessions.sessionize import sessionize

SHARE: Final = 0.2  # of the lines, the first, that is learnt from, as for any other log


def bgl() -> Parts:
    """Entries as units: the normal ones of the first fifth train, templates included; the rest is judged."""
    lines = read(public("bgl", "bgl_lines_000001_060000.log.gz"), layout="bgl")
    labelled = lines.with_columns(anomalous=pl.col("label") != "-")
    first = labelled.head(int(len(labelled) * SHARE))
    normal = first.filter(~pl.col("anomalous"))
    templates = Spell().fit(normal)
    train = sessionize(templates.parse(normal, parameters=False))
    test = labelled.tail(len(labelled) - len(first))
    events = templates.parse(test, parameters=False)
    return Parts(
        "bgl",
        "entry",
        f"in time: the {len(normal):,} normal lines of the first {len(first):,} train, templates included",
        train,
        sessionize(events),
        test.select("file", "line", "anomalous"),
        by_entry=True,
    )
