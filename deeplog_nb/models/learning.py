"""What a fitted value model becomes when a person says that some entries are normal (paper, section 3.3).

The gate that an update has to pass is in ``gate``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.models.few import Few, learn_few
from deeplog_nb.models.fitted import Fitted
from deeplog_nb.models.replay import adjust
from deeplog_nb.models.told import robust_chance
from deeplog_nb.sessions.series import Ints, Vectors

Rows = npt.NDArray[np.bool_]


def learn(fitted: Fitted, normal: pl.DataFrame, rows: Rows, steps: int) -> Fitted:
    """The model that has learnt these rows [M] of the sessions; the others are what came before them."""
    found, numbers = fitted.vectors(normal)
    declared = fitted.categories.learn(normal.filter(pl.Series(rows)))
    learnt = replace(fitted, categories=declared)
    return _with_few(_with_series(learnt, found, numbers, rows, steps), found, numbers, rows)


def _with_series(fitted: Fitted, found: Vectors, numbers: Ints, rows: Rows, steps: int) -> Fitted:
    """The errors count as normal ones, as they were before they were learnt; then the networks learn."""
    forecasters = fitted.forecasters
    told = forecasters.forecast(found, numbers)
    mine = rows[told.entries]
    errors = fitted.channels.flat(told.squares[mine], told.series[mine])
    kept, new = fitted.kept, forecasters.pairs(found, numbers, rows)
    trained = adjust(forecasters, kept.pairs, kept.errors, new, steps)
    return replace(fitted, bounds=fitted.bounds.declare(*errors), forecasters=trained)


def _with_few(fitted: Fitted, found: Vectors, numbers: Ints, rows: Rows) -> Fitted:
    """The robust bounds of sorts without a network, told anew with these vectors."""
    alone = rows & found.there & (numbers < 0)
    if not alone.any():
        return fitted
    few, fallen, robust = learn_few(
        fitted.kept.few,
        Few.of(found, alone),
        fitted.fallen,
        fitted.robust,
        fitted.forecasters.groups,
        follow=fitted.settings.follow,
        chance=robust_chance(fitted.fallen_tails, fitted.settings.confidence),
    )
    return replace(fitted, fallen=fallen, robust=robust, kept=replace(fitted.kept, few=few))
