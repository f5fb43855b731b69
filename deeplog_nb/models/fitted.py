"""What a value model is once it is fitted: types, networks, bounds, fall-backs, categories; and how it gets there.

The class that people use is in ``values``, the arithmetic in ``forecasters``, ``bounds`` and ``robust``.

Axes: S series, G groups, D positions, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.models.bounds import Bounds, Kind, fit_bounds
from deeplog_nb.models.categories import Categories, fit_categories
from deeplog_nb.models.channels import Channels, channels
from deeplog_nb.models.few import fall_back
from deeplog_nb.models.forecasters import BLOCK, Forecasters, build, fit_scales, train_steps
from deeplog_nb.models.kept import Kept, kept
from deeplog_nb.models.robust import Robust
from deeplog_nb.models.told import Held, Told, by_network, by_robust, errors_frame
from deeplog_nb.models.training import Step, Training
from deeplog_nb.sessions.series import Groups, Layout, Vectors, layout, vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEW: Final = 60  # training vectors under which a series gets a robust bound instead of a network


@dataclass(frozen=True)
class ValueSettings:
    """How values are modelled. The paper states the normalisation, the loss and the Gaussian, and nothing else."""

    history: int = 5  # vectors looked back on
    layers: int = 1
    units: int = 8  # LSTM units a layer; series are short
    confidence: float = 0.999  # a normal entry exceeds its bound less often than 1 - this
    bound: Kind = "quantile"  # or "gaussian" (the paper's figure), or "gaussian-mean"
    apart: bool = True  # bound each position by itself; without it the mean over the vector, as in the paper
    follow: bool = True  # a series for each key and the key before it, which a wait depends on; else for each key
    elapsed: bool = True  # judge the wait before an entry too; where lines of many tasks mix, it means nothing
    series: Literal["log", "session"] = "log"  # a history goes on from session to session, or begins with each
    training: Training = field(
        default_factory=lambda: Training(epochs=20, patience=20, batch=64, draws=512, temper=1.0)
    )


@dataclass(frozen=True)
class Fitted:
    """A fitted value model."""

    settings: ValueSettings
    parameters: pl.DataFrame
    layout: Layout
    forecasters: Forecasters
    channels: Channels
    bounds: Bounds
    fallen: Groups  # sorts of entries that have no network
    robust: Robust  # of those
    fallen_tails: Floats  # that Student's t told of held-out entries
    categories: Categories
    examples: Ints  # [S] training vectors of each series
    kept: Kept  # of the training, to learn on without forgetting

    def errors(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """ERRORS of these sessions."""
        found, numbers = self.vectors(sessions)
        return errors_frame(sessions, self.tell(found, numbers), self.layout, self.categories)

    def tell(self, found: Vectors, numbers: Ints, block: int = BLOCK) -> Told:
        """What networks and robust bounds say of each of these entries; ``block`` of a series are forecast at once."""
        told = by_network(self.forecasters, self.channels, self.bounds, found, numbers, block)
        if np.isfinite(told.tail).all():  # as for an entry alone, most often
            return told
        rest = by_robust(self.robust, self.fallen, found, self.settings.confidence, self._held)
        return told.over(rest)

    def numbers(self, found: Vectors) -> Ints:
        """The series of each of these entries, -1 for none: [M]."""
        return _numbers(found, self.forecasters.groups)

    @cached_property
    def _held(self) -> Held:
        return Held.of(self.fallen_tails)

    def vectors(self, sessions: pl.DataFrame) -> tuple[Vectors, Ints]:
        """The vectors of these sessions, and each entry's series; -1 where it has none."""
        found = _vectors(sessions, self.layout, self.settings)
        return found, self.numbers(found)

    def at(self, settings: ValueSettings) -> Fitted:
        """The same with another confidence or kind of bound."""
        bounds = replace(self.bounds, kind=settings.bound, confidence=settings.confidence)
        return replace(self, settings=settings, bounds=bounds)


@dataclass(frozen=True)
class Begun:
    """A value model before and while its networks are trained."""

    settings: ValueSettings
    parameters: pl.DataFrame
    layout: Layout
    forecasters: Forecasters
    seen: tuple[Vectors, Ints]  # the training part, and each entry's series
    held: tuple[Vectors, Ints]  # the held-out part
    sorts: Groups  # all that occur in the training part
    categories: Categories

    def train(self) -> Iterator[Step]:
        """Train all networks at once; nothing to do where no series has enough examples."""
        if len(self.forecasters.groups):
            yield from train_steps(self.forecasters, self.seen, self.held, self.settings.training)

    def finish(self) -> Fitted:
        """The fitted model: channels and bounds of the networks, robust bounds for the rest."""
        found = self.forecasters
        moving = _moving(*self.seen, len(found.groups))
        parts = channels(len(found.groups), moving, apart=self.settings.apart)
        trained, held = (found.forecast(*part) for part in (self.seen, self.held))
        bounds = fit_bounds(
            self.settings.bound,
            self.settings.confidence,
            parts.flat(trained.squares, trained.series),
            parts.flat(held.squares, held.series),
            parts.roots(found.scales.tick),
        )
        fallen, robust = fall_back(self.seen[0], self.sorts, follow=self.settings.follow)
        examples = np.bincount(trained.series, minlength=len(found.groups)).astype(np.int64)
        alone = self.held[1] < 0
        tails = by_robust(robust, fallen, self.held[0], self.settings.confidence).tail
        keep = kept(found, *self.seen, self.settings.training.seed)
        return Fitted(
            settings=self.settings,
            parameters=self.parameters,
            layout=self.layout,
            forecasters=found,
            channels=parts,
            bounds=bounds,
            fallen=fallen,
            robust=robust,
            fallen_tails=tails[alone & np.isfinite(tails)],
            categories=self.categories,
            examples=examples,
            kept=keep,
        )


def begin(train: pl.DataFrame, valid: pl.DataFrame, parameters: pl.DataFrame, settings: ValueSettings) -> Begun:
    """Vectors, series and untrained networks of these normal sessions."""
    slots = layout(parameters)
    seen, held = (_vectors(part, slots, settings) for part in (train, valid))
    every = Groups.of(seen.keys, seen.before)
    sorts = every if settings.follow else every.loose
    counts = np.bincount(sorts.numbers(seen.keys, seen.before)[seen.there], minlength=len(sorts))
    series = sorts.kept(counts >= FEW)
    numbered = [(part, _numbers(part, series)) for part in (seen, held)]
    scales = fit_scales(*numbered[0], series)
    network = build(len(series), slots.size, settings.units, settings.layers, settings.history, settings.training)
    categories = fit_categories(_texts(train, valid), parameters, settings.confidence)
    forecasters = Forecasters(series, scales, network, settings.series)
    return Begun(settings, parameters, slots, forecasters, numbered[0], numbered[1], sorts, categories)


def _texts(*parts: pl.DataFrame) -> pl.DataFrame:
    """What a category's values are told from: all the normal sessions, the held-out ones too."""
    told = [part.select("key", "parameters") for part in parts if "parameters" in part.columns]
    return pl.concat(told) if told else parts[0]


def _vectors(sessions: pl.DataFrame, slots: Layout, settings: ValueSettings) -> Vectors:
    """The sessions' vectors, without the waits where these are not to be judged."""
    found = vectors(sessions, slots)
    if not settings.elapsed:
        found.values[:, 0] = np.nan
    return found


def _numbers(vectors: Vectors, groups: Groups) -> Ints:
    """Each entry's series; -1 where it has none, or no number at all."""
    return np.where(vectors.there, groups.numbers(vectors.keys, vectors.before), -1)


def _moving(vectors: Vectors, numbers: Ints, series: int) -> npt.NDArray[np.bool_]:
    """Which positions each series had in training: [S, D]."""
    moving = np.zeros((series, vectors.values.shape[1]), np.bool_)
    for at in range(moving.shape[1]):
        moving[np.unique(numbers[np.isfinite(vectors.values[:, at]) & (numbers >= 0)]), at] = True
    return moving
