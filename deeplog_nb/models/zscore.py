"""The robust z-score: each position by itself, median and absolute deviation of its key. The baseline for values.

No order, no network, no held-out part: its bound is the Gaussian's, whatever the values are.
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.categories import KNOWN, POSITIONS, Categories
from deeplog_nb.models.robust import Robust, fit_robust
from deeplog_nb.models.told import by_robust, errors_frame
from deeplog_nb.sessions.parameters import parameters as typed
from deeplog_nb.sessions.series import Groups, Layout, layout, resolutions, vectors


class ZScore:
    """What a value model has to beat: ``fit`` on normal sessions, then ``errors``, as :class:`ValueModel`.

    >>> sessions = pl.DataFrame({"session": ["a"] * 9, "position": range(9), "key": [1] * 9, "count": [1] * 9,
    ...     "open": [False] * 9, "elapsed": [None, 2.0, 2.1, 1.9, 2.0, 2.2, 1.8, 2.0, 2.1]},
    ...     schema_overrides={c: pl.UInt32 for c in ("position", "key", "count")})
    >>> odd = sessions.tail(1).with_columns(elapsed=pl.lit(9.0))
    >>> ZScore().fit(sessions).errors(odd).select("worst", "seen", "expected").row(0)
    ('elapsed', 9.0, 2.0)
    """

    def __init__(self, *, confidence: float = 0.999, follow: bool = False) -> None:
        if not 0 < confidence < 1:
            raise InputError(f"confidence is {confidence}; it must lie between 0 and 1")
        self.confidence = confidence
        self.follow = follow
        self._fitted: tuple[Layout, Groups, Robust] | None = None

    def fit(
        self, train: pl.DataFrame, *, parameters: pl.DataFrame | None = None, templates: Templates | None = None
    ) -> ZScore:
        """Median and deviation of each position of each key; with ``follow``, of each key after each other key."""
        slots = layout(typed(train, templates) if parameters is None else parameters)
        found = vectors(train, slots)
        every = Groups.of(found.keys, found.before)
        sorts = every if self.follow else every.loose
        ticks = resolutions(found, sorts.keys)
        numbers = sorts.numbers(found.keys, found.before)
        self._fitted = slots, sorts, fit_robust(found.values, numbers, ticks, least=2, careful=False)
        return self

    def errors(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """ERRORS: ``error`` is the squared z-score of the worst position, ``bound`` the Gaussian's."""
        if self._fitted is None:
            raise ModelError("this ZScore is not fitted yet; call fit(train) first")
        slots, sorts, robust = self._fitted
        told = by_robust(robust, sorts, vectors(sessions, slots), self.confidence)
        none = Categories(pl.DataFrame(schema=POSITIONS), pl.DataFrame(schema=KNOWN))
        return errors_frame(sessions, told, slots, none)

    def __repr__(self) -> str:
        return f"ZScore(confidence={self.confidence}, follow={self.follow})"
