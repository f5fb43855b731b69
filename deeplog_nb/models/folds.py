"""RANKS of the training sessions as if each had not been trained on: what calibration needs, and nothing held back.

A key sequence that occurs more than once is no novelty when one of its sessions is left out, so only those that occur
once are left out, some at a time (Good-Turing's argument: what was seen once says how often the unseen comes).
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import SESSIONS, InputError, check
from deeplog_nb.models.keys import KeyModel

FOLDS = 5  # models trained beside the one that stays


def rank_left_out(model: KeyModel, sessions: pl.DataFrame, *, folds: int = FOLDS) -> pl.DataFrame:
    """RANKS of all sessions: of those whose sequence occurs once by models that were not trained on them.

    ``model`` was fitted on these sessions and ranks the others; it is not changed.
    """
    if folds < 2:
        raise InputError(f"folds is {folds}; at least 2 are needed to leave some sessions out and train on the others")
    part = check(sessions, SESSIONS, "sessions").join(parts(sessions, folds), on="session", maintain_order="left")
    repeated = part.filter(pl.col("fold").is_null()).drop("fold")
    ranks = [model.rank(repeated)] if len(repeated) else []
    for fold in part["fold"].drop_nulls().unique().sort():
        left_out = part.filter(pl.col("fold") == fold).drop("fold")
        rest = part.filter(pl.col("fold").ne_missing(fold)).drop("fold")
        ranks += [model.unfitted().fit(rest).rank(left_out)] if len(rest) else []
    if not ranks:
        raise InputError("there is one session only, and none is left to train on; give more normal sessions")
    return pl.concat(ranks)


def parts(sessions: pl.DataFrame, folds: int) -> pl.DataFrame:
    """``session, fold``: in turn, for the sessions whose sequence occurs once; null for the others.

    >>> rows = [(name, at, key, 1, False) for name, keys in [("a", [1]), ("b", [2]), ("c", [1]), ("d", [3])]
    ...         for at, key in enumerate(keys)]
    >>> parts(pl.DataFrame(rows, schema=dict(SESSIONS), orient="row"), 2)["fold"].to_list()
    [None, 0, None, 1]
    """
    listed = sessions.group_by("session", maintain_order=True).agg("key", pl.col("count").first())
    once = pl.col("count").sum().over("key") == 1
    return listed.select("session", fold=pl.when(once).then((once.cum_sum() - 1) % folds))
