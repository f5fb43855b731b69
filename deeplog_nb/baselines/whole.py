"""Verdicts on whole sessions: one row a session, position null, named by the rule that the method stands for."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import RULES, VERDICTS, check
from deeplog_nb.sessions.windows import Sequences


class Baseline(Protocol):
    """What every method here can do; ``source`` says where its threshold comes from."""

    source: str

    def fit(self, sessions: pl.DataFrame) -> Baseline:
        """Learn from normal sessions."""
        ...

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of these sessions."""
        ...


def whole(
    sessions: pl.DataFrame, distinct: Sequences, scores: npt.NDArray[np.floating], bound: float, *, rule: str, what: str
) -> pl.DataFrame:
    """VERDICTS, a row a session: anomalous where the distinct sequence's score is over the bound.

    >>> from deeplog_nb.frames import SESSIONS
    >>> from deeplog_nb.sessions.windows import sequences
    >>> one = pl.DataFrame([("a", 0, 7, 1, False)], schema=dict(SESSIONS), orient="row")
    >>> whole(one, sequences(one), np.array([2.0]), 1.0, rule="counts", what="distance").select("counts", "why").row(0)
    (True, 'counts: distance 2, bound 1')
    """
    found = pl.DataFrame({"score": scores.astype(np.float32), "fired": scores > bound}).with_row_index("sequence")
    facts = sessions.group_by("session", maintain_order=True).agg(pl.col("count", "open").first())
    said = pl.format(
        f"{rule}: {what} {{}}, bound {bound:.4g}",
        pl.col("score").round_sig_figs(4).cast(pl.String).str.strip_suffix(".0"),
    )
    nothing = {"position": pl.UInt32, "key": pl.UInt32, "rank": pl.UInt16, "probability": pl.Float32}
    return check(
        facts.join(distinct.of_session, on="session", maintain_order="left")
        .join(found, on="sequence", maintain_order="left")
        .with_columns(
            **{name: pl.lit(None, kind) for name, kind in nothing.items()},
            **{name: pl.col("fired") if name == rule else pl.lit(False) for name in RULES},
            anomalous="fired",
            why=pl.when("fired").then(said).otherwise(pl.lit("")),
        )
        .select(*VERDICTS),
        VERDICTS,
        "verdicts",
    )
