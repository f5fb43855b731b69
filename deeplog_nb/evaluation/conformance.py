"""Workflows as a detector, learnt from normal sessions only: a row to compare the models with (paper, 4.1)."""

from __future__ import annotations

import numpy as np
import polars as pl

from deeplog_nb.baselines.whole import whole
from deeplog_nb.sessions.windows import sequences
from deeplog_nb.workflow.workflow import Workflow


class Conforming:
    """A session that the automata of the training sessions cannot produce."""

    source = "the training sessions: all that their workflows (by co-occurrence, tau 0.9) can produce"

    def fit(self, sessions: pl.DataFrame) -> Conforming:
        """Learn the tasks."""
        self._workflow = Workflow.from_cooccurrence(sessions)
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS: the score is 1 where no task allows an entry, or the end."""
        distinct = sequences(sessions)
        found = self._workflow.conformance(sessions).join(distinct.of_session, on="session")
        wrong = np.zeros(len(distinct.lengths))
        wrong[found.filter(~pl.col("fits"))["sequence"].to_numpy()] = 1
        return whole(sessions, distinct, wrong, 0.0, rule="unlikely", what="entries that no task allows")
