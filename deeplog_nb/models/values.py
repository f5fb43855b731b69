"""The parameter value model (paper, section 3.2): after these vectors of a key, how far off was the one that came?

It says errors, bounds and what was expected. Whether that is an anomaly is for ``verdicts`` to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final, Literal

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import SESSIONS, InputError, ModelError, check
from deeplog_nb.models.bounds import KINDS, Kind
from deeplog_nb.models.fitted import Fitted, ValueSettings, begin
from deeplog_nb.models.flags import flagged
from deeplog_nb.models.gate import gated, marked
from deeplog_nb.models.learning import learn
from deeplog_nb.models.saved import NAME, fitted_from, save_fitted
from deeplog_nb.models.store import load_model
from deeplog_nb.models.summary import bounds_frame
from deeplog_nb.models.training import Step, Training, losses
from deeplog_nb.models.update import Update
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.sessions.parameters import parameters as typed

SERIES: Final = ("log", "session")
STEPS: Final = 20  # of an update's training


class ValueModel:
    """An LSTM for each series of vectors ``[elapsed, numeric parameters…]``: ``fit``, then ``errors``.

    >>> sessions = pl.DataFrame({"session": [f"s{at // 2}" for at in range(400)], "position": [0, 1] * 200,
    ...     "key": [1, 2] * 200, "count": [1] * 400, "open": [False] * 400,
    ...     "elapsed": [None, 2.0, None, 2.1, None, 1.9, None, 2.05] * 50},
    ...     schema_overrides={c: pl.UInt32 for c in ("position", "key", "count")})
    >>> model = ValueModel(confidence=0.98).fit(sessions)
    >>> slow = sessions.head(2).with_columns(elapsed=pl.col("elapsed") + 40)
    >>> model.errors(slow).select("position", "worst", "seen", pl.col("expected").round(0))
    shape: (2, 4)
    ┌──────────┬─────────┬──────┬──────────┐
    │ position ┆ worst   ┆ seen ┆ expected │
    │ ---      ┆ ---     ┆ ---  ┆ ---      │
    │ u32      ┆ str     ┆ f64  ┆ f64      │
    ╞══════════╪═════════╪══════╪══════════╡
    │ 0        ┆ null    ┆ null ┆ null     │
    │ 1        ┆ elapsed ┆ 42.0 ┆ 2.0      │
    └──────────┴─────────┴──────┴──────────┘
    >>> model.update(slow)
    Update(0 alarms cleared, 0 true anomalies lost, 0 new alarms)
    """

    def __init__(
        self,
        *,
        history: int = 5,
        layers: int = 1,
        units: int = 8,
        confidence: float = 0.999,
        bound: Kind = "quantile",
        apart: bool = True,
        follow: bool = True,
        elapsed: bool = True,
        series: Literal["log", "session"] = "log",
        training: Training | None = None,
    ) -> None:
        if not 0.5 <= confidence < 1:
            raise InputError(f"confidence is {confidence}; it must be at least 0.5 and less than 1, such as 0.999")
        if bound not in KINDS:
            raise InputError(f"bound is {bound!r}; it is one of {', '.join(KINDS)}")
        if series not in SERIES:
            raise InputError(f"series is {series!r}; it is one of {', '.join(SERIES)}")
        for name, value in (("history", history), ("layers", layers), ("units", units)):
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}; it must be a whole number from 1 on")
        given = (history, layers, units, confidence, bound, apart, follow, elapsed, series)
        self.settings = ValueSettings(*given, *([training] if training else []))
        self._fitted: Fitted | None = None
        self._steps: list[Step] = []

    def fit(
        self,
        train: pl.DataFrame,
        valid: pl.DataFrame | None = None,
        *,
        parameters: pl.DataFrame | None = None,
        templates: Templates | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> ValueModel:
        """Train on normal sessions; bounds come from ``valid``, held-out normal ones (default: the latest 20 %).

        The values that a category has are told from both.

        ``parameters`` is the typed frame, perhaps corrected (default: told from ``train``, named by ``templates``).
        An interrupt ends the training early and keeps the best weights; the bounds are set all the same.
        """
        steps = self.steps(train, valid, parameters=parameters, templates=templates)
        try:
            for step in steps:
                if progress:
                    progress(step)
        except KeyboardInterrupt:
            if not self._steps:
                raise
        finally:
            steps.close()
        return self

    def steps(
        self,
        train: pl.DataFrame,
        valid: pl.DataFrame | None = None,
        *,
        parameters: pl.DataFrame | None = None,
        templates: Templates | None = None,
    ) -> Generator[Step]:
        """The same as :meth:`fit`, an epoch at a time; the bounds are set when the last one is over."""
        earlier, later = holdout(train) if valid is None else (train, valid)
        types = typed(earlier, templates) if parameters is None else parameters
        self._steps, self._fitted = [], None
        begun = begin(earlier, later, types, self.settings)
        try:
            for step in begun.train():
                self._steps.append(step)
                yield step
        finally:
            self._fitted = begun.finish()

    def errors(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """ERRORS: for every entry how far off its worst position was, its bound, and what was expected there.

        ``tail`` is the share of normal entries expected to err as much. Entries that are not judged have null: a
        session's first, keys without numbers, and those with fewer than 5 examples. A category's new value has its
        ``text``; its tail is the rate at which normal entries bring one.
        """
        return self.fitted.errors(sessions)

    def update(
        self,
        normal: pl.DataFrame,
        *,
        canaries: pl.DataFrame | None = None,
        holdout: pl.DataFrame | None = None,
        steps: int = STEPS,
    ) -> Update[ValueModel]:
        """A new model that has learnt entries which a person said are normal; refused where it would see less.

        ``normal`` are their sessions, whole, for what came before them; a Boolean column ``learn`` says which rows
        were meant (absent: all). This model stays as it is. One label is one example, and no more:

        * its error joins the held-out ones of its own position: a quantile's bound moves by one rank, so that one
          label seldom clears its own alarm, twenty alike do, and none however wild carries the bound away;
        * the network of its series is trained ``steps`` steps on it, with training examples beside it which may fare
          1 % worse at most; all other series and bounds stay the same to the last bit;
        * a sort of entry with few examples has one more; a sort never seen is judged from 5 on;
        * a category's new text is known from now on, exactly there.

        Refused, with this model and the reason, where of the ``canaries`` (sessions of confirmed anomalies; Boolean
        ``anomalous``: which rows) one is flagged no more, or of the ``holdout`` (normal sessions) more entries are.
        """
        rows = marked(check(normal, SESSIONS, "normal"), "learn")
        if not rows.any():
            raise InputError("none of these rows is to be learnt; set the column learn to true where a person said so")
        if not isinstance(steps, int) or steps < 0:
            raise InputError(f"steps is {steps!r}; it must be a whole number from 0 on")
        new = self.unfitted()
        new._fitted, new._steps = learn(self.fitted, normal, rows.to_numpy(), steps), self._steps
        return gated(self, new, ValueModel._flags, normal, canaries=canaries, holdout=holdout)

    @property
    def bounds(self) -> pl.DataFrame:
        """What each key's bounds rest on: a row for each position of each series, and each category checked.

        ``judged_by``: network, robust (too few examples) or values (a category). ``nominal`` is the false-alarm rate
        that the bound states, ``held_rate`` the share of held-out normal entries above it (which set a quantile).
        """
        return bounds_frame(self.fitted)

    @property
    def parameters(self) -> pl.DataFrame:
        """The typed parameters that it was fitted with."""
        return self.fitted.parameters

    @property
    def losses(self) -> pl.DataFrame:
        """``epoch, loss, valid_loss, seconds``: how the training went."""
        return losses(self._steps)

    @property
    def fitted(self) -> Fitted:
        """What was fitted; an error before it is."""
        if self._fitted is None:
            raise ModelError("this ValueModel is not fitted yet; call fit(train, valid) first")
        return self._fitted

    def at(self, *, confidence: float | None = None, bound: Kind | None = None) -> ValueModel:
        """The same fitted model with another confidence, another kind of bound; nothing is trained anew."""
        given = {each.name: getattr(self.settings, each.name) for each in fields(self.settings)}
        given |= {name: value for name, value in (("confidence", confidence), ("bound", bound)) if value is not None}
        other = ValueModel(**given)
        other._fitted, other._steps = self.fitted.at(other.settings), self._steps
        return other

    def unfitted(self) -> ValueModel:
        """A new model with these settings."""
        return ValueModel(**{each.name: getattr(self.settings, each.name) for each in fields(self.settings)})

    def save(self, folder: Path | str) -> None:
        """Write ``values.safetensors`` (weights, held-out errors) and ``values.json`` (settings, types, categories)."""
        facts = {"settings": asdict(self.settings), "steps": [asdict(step) for step in self._steps]}
        save_fitted(Path(folder), self.fitted, facts)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto") -> ValueModel:
        """Read a model that :meth:`save` wrote; refuses what is broken."""
        facts, arrays = load_model(Path(folder), NAME)
        try:
            settings = dict(facts["settings"])
            training = Training(**settings.pop("training") | {"device": device})
            model = cls(**settings, training=training)
            model._steps = [Step(**step) for step in facts["steps"]]
            model._fitted = fitted_from(facts, arrays, model.settings, Path(folder))
        except (KeyError, TypeError, ValueError, IndexError, pl.exceptions.PolarsError) as error:
            raise ModelError(
                f"{folder}/values.json: not a saved ValueModel ({type(error).__name__}: {error})"
            ) from error
        return model

    def _flags(self, sessions: pl.DataFrame) -> pl.DataFrame:
        return flagged(self.errors(sessions), self.settings.confidence)

    def __repr__(self) -> str:
        s = self.settings
        known = f"{len(self._fitted.forecasters.groups)} series" if self._fitted else "not fitted"
        return (
            f"ValueModel(history={s.history}, units={s.units}, bound={s.bound!r}, confidence={s.confidence}; {known})"
        )
