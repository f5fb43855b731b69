"""How large a forecast error may be: bounds from held-out normal errors, each with the rate that it states.

Four ways. ``gaussian``: errors have mean zero, two-sided, which is what the paper's Figure 9 shows (method notes, 3.1).
``gaussian-mean``: mean and deviation fitted, one-sided. ``quantile``: conformal (Vovk et al., 2005), from a channel's
own held-out errors where it has 1 / (1 - confidence) of them. Where it has fewer, or too few for a
Gaussian, ``pooled``: a generalised Pareto tail (Pickands, 1975) is fitted to the channel's *training* errors, which
tells the held-out errors of all channels on one scale, and the conformal quantile is taken of those. Among the 20
largest, where single errors would decide, it is that of an exponential tail fitted to them.

What a person declared normal later counts for its own channel alone, as one error more: it moves a quantile by a rank,
and how fast the tail falls stays as it was. So a wild one among them cannot carry its channel's bound away, twenty
alike can. A Gaussian, which one wild error would carry away, takes it for no more than its largest held-out one.

Arrays only. Axes: C channels (a series' one position, or its whole vector), N errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import torch

from deeplog_nb.sessions.series import members

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["gaussian", "gaussian-mean", "quantile"]
Errors = tuple[Floats, Ints]  # mean squared errors [N], and the channel of each [N]

KINDS: Final = ("gaussian", "gaussian-mean", "quantile")
FEWEST: Final = 10  # held-out errors of a channel under which no Gaussian is fitted to it
ABOVE: Final = 0.8  # quantile of the training errors from which on they are the tail
SHAPE: Final = 0.5  # the heaviest tail that is believed: the fourth moment of the errors ends there
SHRINK: Final = 20  # exceedances that as many of a plain exponential tail stand against
TOP: Final = 20  # scores, the largest, that an exponential tail is fitted to: fewer say too little one by one
NOISE: Final = 1e-5  # scores that differ by less are equal: a forecast's last digits depend on what it is computed with
LEAST: Final = 1e-37  # a tail is never told as less: what a 32-bit float can hold


@dataclass(frozen=True)
class Bounds:
    """The held-out normal errors, and the tail of each channel's training errors."""

    kind: Kind
    confidence: float
    errors: Floats  # [N] of held-out normal entries
    channels: Ints  # [N]
    start: Floats  # [C] root error at which the tail begins
    scale: Floats  # [C] of the tail
    shape: Floats  # [C] 0 = exponential; heavier above
    declared: Floats = field(default_factory=lambda: np.zeros(0))  # [L] of entries that a person declared normal
    declared_channels: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # [L]

    def declare(self, errors: Floats, channels: Ints) -> Bounds:
        """The same, these errors of entries that were declared normal counted too; other channels stay as they are."""
        both = (self.declared, errors), (self.declared_channels, channels)
        return replace(self, declared=np.concatenate(both[0]), declared_channels=np.concatenate(both[1]))

    def tail(self, errors: Floats, channels: Ints) -> Floats:
        """Share of normal entries of that channel expected to err as much or more: [P], [P] -> [P]."""
        scores = self._scores(errors, channels) - NOISE
        told = p_value(self._pooled, scores, self._fade)
        for channel, mine in enumerate(members(channels, len(self.start))):
            if len(mine):
                told[mine] = self._own(channel, errors[mine], scores[mine], told[mine])
        return np.maximum(told, LEAST)

    def bound(self, confidence: float | None = None) -> Floats:
        """The error above which a normal entry comes with a chance of 1 - confidence at most: [C]."""
        wanted = self.confidence if confidence is None else confidence
        if wanted not in self._bounds:
            self._bounds[wanted] = self._bound(1 - wanted)
        return self._bounds[wanted].copy()

    def _bound(self, chance: float) -> Floats:
        all_channels = np.arange(len(self.start))
        found = self._errors(np.full(len(self.start), quantile(self._pooled, chance, self._fade)), all_channels)
        for channel, method in enumerate(self.methods):
            if method == "quantile" or (method == "pooled" and len(self._declared[channel])):
                score = quantile(self._known(channel), chance, self._fade)
                found[channel] = self._errors(np.array([score]), all_channels[channel : channel + 1])[0]
            elif method == "gaussian":
                found[channel] = NormalDist().inv_cdf(1 - chance / 2) * math.sqrt(np.mean(self._drawn(channel) ** 2))
            elif method == "gaussian-mean":
                mine = self._drawn(channel)
                found[channel] = mine.mean() + NormalDist().inv_cdf(1 - chance) * mine.std()
        return found

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """What each channel's bound comes from: its kind, or ``pooled`` where it has too few held-out errors."""
        needed = 1 / (1 - self.confidence) - 1e-6 if self.kind == "quantile" else FEWEST
        return tuple(self.kind if len(mine) >= needed else "pooled" for mine in self._held)

    @property
    def held(self) -> Ints:
        """How many held-out errors each channel has: [C]."""
        return np.bincount(self.channels, minlength=len(self.start))

    @property
    def reach(self) -> float:
        """The highest confidence that the pooled errors answer by themselves; above it a tail is fitted to them."""
        return 1 - (TOP + 1) / (len(self.errors) + 1)

    def _own(self, channel: int, errors: Floats, scores: Floats, pooled: Floats) -> Floats:
        method = self.methods[channel]
        if method == "gaussian":
            return _two_sided(errors / max(math.sqrt(np.mean(self._drawn(channel) ** 2)), LEAST))
        if method == "gaussian-mean":
            mine = self._drawn(channel)
            z = (errors - mine.mean()) / max(mine.std(), LEAST)
            return np.where(z > 0, _two_sided(np.abs(z)) / 2, 1 - _two_sided(np.abs(z)) / 2)
        if method == "quantile" or len(self._declared[channel]):
            return p_value(self._known(channel), scores, self._fade)
        return pooled

    def _known(self, channel: int) -> Floats:
        """The scores, rising, that this channel's quantile is taken of: its own or the pool's, and those declared."""
        if channel not in self._scored:
            self._scored[channel] = self._rising(channel)
        return self._scored[channel]

    def _rising(self, channel: int) -> Floats:
        own, declared = self._held[channel], self._declared[channel]
        mine = np.concatenate([own, declared]) if self.methods[channel] == "quantile" else declared
        scores = self._scores(mine, np.full(len(mine), channel))
        return np.sort(scores if self.methods[channel] == "quantile" else np.concatenate([self._pooled, scores]))

    def _drawn(self, channel: int) -> Floats:
        """The errors that this channel's Gaussian is fitted to: none declared is larger than the largest held out."""
        own = self._held[channel]
        return np.concatenate([own, np.minimum(self._declared[channel], own.max())])

    def _scores(self, errors: Floats, channels: Ints) -> Floats:
        """The errors on the scale on which the channel's training tail falls by e for each step."""
        shape = np.maximum(self.shape[channels], 1e-9)
        excess = (np.sqrt(errors) - self.start[channels]) / self.scale[channels]
        return np.where(excess > 0, np.log1p(shape * np.maximum(excess, 0.0)) / shape, excess)

    def _errors(self, scores: Floats, channels: Ints) -> Floats:
        """The errors that have these scores: the inverse of ``_scores``."""
        shape = np.maximum(self.shape[channels], 1e-9)
        excess = np.where(scores > 0, np.expm1(shape * np.maximum(scores, 0.0)) / shape, scores)
        return np.maximum(self.start[channels] + self.scale[channels] * excess, 0.0) ** 2

    @cached_property
    def _held(self) -> list[Floats]:
        return [self.errors[at] for at in members(self.channels, len(self.start))]

    @cached_property
    def _declared(self) -> list[Floats]:
        return [self.declared[at] for at in members(self.declared_channels, len(self.start))]

    @cached_property
    def _bounds(self) -> dict[float, Floats]:
        """The bounds at each confidence that was asked for: one for each number of positions that a vector has."""
        return {}

    @cached_property
    def _scored(self) -> dict[int, Floats]:
        """What :meth:`_known` told of a channel, which is asked again and again."""
        return {}

    @cached_property
    def _pooled(self) -> Floats:
        """The scores of all held-out errors, rising."""
        return np.sort(self._scores(self.errors, self.channels))

    @cached_property
    def _fade(self) -> float:
        """How fast the tail of the pooled scores goes on falling."""
        return fading(self._pooled)


def fit_bounds(kind: Kind, confidence: float, trained: Errors, held: Errors, ticks: Floats) -> Bounds:
    """Bounds from the errors of the training part and of held-out normal entries.

    ``ticks`` [C] is the root error of one step of the log's own resolution: no tail is finer than that.

    >>> rng = np.random.default_rng(0)
    >>> errors, channels = rng.normal(size=4000) ** 2, np.zeros(4000, int)
    >>> bounds = fit_bounds("quantile", 0.99, (errors, channels), (errors, channels), np.zeros(1))
    >>> float(np.mean(errors > bounds.bound()[0])), bounds.methods
    (0.00975, ('quantile',))
    """
    mine = members(trained[1], len(ticks))
    tails = [_fit_tail(np.sqrt(trained[0][at]), tick) for at, tick in zip(mine, ticks, strict=True)]
    start, scale, shape = np.array(tails).reshape(-1, 3).T
    return Bounds(kind, confidence, *held, start, scale, shape)


def _fit_tail(roots: Floats, tick: float) -> tuple[float, float, float]:
    """Start, scale and shape of a generalised Pareto tail, by moments; the shape shrunk towards an exponential's."""
    if not len(roots):
        return 0.0, max(tick, 1.0), 0.0
    start = float(np.quantile(roots, ABOVE))
    excess = roots[roots > start] - start
    mean = float(excess.mean()) if len(excess) else 0.0
    spread = float(excess.var()) if len(excess) > 1 else 0.0
    heavy = 0.5 * (1 - mean**2 / spread) if spread > 0 else 0.0
    shape = min(max(heavy, 0.0), SHAPE) * len(excess) / (len(excess) + SHRINK)
    return start, max(mean * (1 - shape), tick, 1e-9), shape


def fading(known: Floats) -> float:
    """How fast the tail of scores, which rise, goes on falling: the mean excess of the largest, at least 1.

    1 is how fast the training tails fall by construction; to believe in a faster fall takes more than a few errors.

    Their median would be less moved by one wild error; in five-fold trials on a real log of normal sessions the mean
    kept 99.9 % more nearly (0.10 % alarms, against 0.12 %), since such a log does hold wild ones.
    """
    many = _largest(known)
    return max(float(np.mean(known[-many:] - known[-many])), 1.0) if many else 1.0


def p_value(known: Floats, asked: Floats, fade: float) -> Floats:
    """Conformal p-values of the asked among the known, which rise; among the largest, the fitted tail's.

    >>> p_value(np.arange(100.0), np.array([0.0, 50.0, 80.0, 90.0]), 10.0).round(3).tolist()
    [1.0, 0.505, 0.208, 0.076]
    """
    total, many = len(known) + 1, _largest(known)
    edge = known[-many] if many else 0.0
    as_large = total - np.searchsorted(known, asked, side="left")
    falling = (many + 1) * np.exp(-np.clip((asked - edge) / fade, 0.0, 700.0))
    told: Floats = np.where(asked > edge, falling, as_large) / total
    return told


def quantile(known: Floats, chance: float, fade: float) -> float:
    """The value above which p-values are no more than the chance: the inverse of ``p_value``."""
    total, many = len(known) + 1, _largest(known)
    if chance * total >= many + 1:
        return float(known[math.ceil(total * (1 - chance) - 1e-9) - 1])
    return float((known[-many] if many else 0.0) + fade * math.log((many + 1) / (chance * total)))


def _largest(known: Floats) -> int:
    """How many of the scores the tail is fitted to."""
    return min(TOP, len(known) // 2)


def _two_sided(z: Floats) -> Floats:
    """Chance that a standard normal lies as far out or farther."""
    chance: Floats = torch.special.erfc(torch.from_numpy(z / math.sqrt(2))).numpy()
    return chance
