"""Series in, forecasts out: how vectors are normalised, which windows are learnt, and the training of the networks.

It stands between the frames' arrays (``sessions.series``) and the networks (``forecast``), and judges nothing.

Axes: S series, M entries of the sessions, P places of the series end to end, h history, D positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deeplog_nb.models.forecast import ForecastNetwork
from deeplog_nb.models.robust import FARTHEST
from deeplog_nb.models.training import Step, Training, one_thread, pick_device, train, training_device
from deeplog_nb.sessions.series import Groups, Vectors, members, resolutions, runs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

INSIDE: Final = (
    3.0  # deviations to which what a history holds is drawn in: one odd value does not spoil the next forecasts
)
LEARNT: Final = 5.0  # deviations to which a training target is drawn in; errors that are judged only to FARTHEST
MOST: Final = 1024  # places of a series that an epoch draws from
BLOCK: Final = 256  # places of a series that are forecast at once


@dataclass(frozen=True)
class Scales:
    """Mean and deviation of each position of each series over the training data; one step of the resolution."""

    mean: Floats  # [S, D]
    deviation: Floats  # [S, D]
    tick: Floats  # [S, D] in deviations


@dataclass(frozen=True)
class Forecast:
    """What was forecast, place by place."""

    entries: Ints  # [P] -> M
    series: Ints  # [P]
    seen: Floats  # [P, D] in deviations; NaN where there was nothing
    expected: Floats  # [P, D]

    @property
    def squares(self) -> Floats:
        """Squared errors [P, D]; NaN where there was nothing to compare."""
        squared: Floats = (self.seen - self.expected) ** 2
        return squared


@dataclass(frozen=True)
class Pairs:
    """What a network is trained on: what came before, and what then came; in deviations, drawn in."""

    histories: Singles  # [N, h, D]
    nexts: Singles  # [N, D] NaN where there was nothing
    series: Ints  # [N] rising


@dataclass(frozen=True)
class Forecasters:
    """One network a series, with what turns vectors into its inputs."""

    groups: Groups
    scales: Scales
    network: ForecastNetwork
    over: Literal["log", "session"]

    def forecast(self, vectors: Vectors, numbers: Ints, block: int = BLOCK) -> Forecast:
        """Forecasts of every entry that has a series; ``numbers`` are the entries' [M], -1 for none.

        A history's forecast differs in its last digits with the size of the ``block`` that it is computed in.
        """
        places = _places(vectors, numbers, self.scales, self.over)
        told = _forecast(self.network, places, block)
        return Forecast(places.entries, places.series, places.seen.numpy().astype(np.float64), told)

    def pairs(self, vectors: Vectors, numbers: Ints, chosen: npt.NDArray[np.bool_]) -> Pairs:
        """The history and the vector of each of the chosen entries [M] that have a series, as training sees them."""
        places = _places(vectors, numbers, self.scales, self.over)
        at = np.flatnonzero(chosen[places.entries])
        histories = places.histories(torch.from_numpy(at), self.network.history)
        return Pairs(histories.numpy(), places.seen[at].clamp(-LEARNT, LEARNT).numpy(), places.series[at])


@dataclass(frozen=True)
class _Places:
    entries: Ints  # [P]
    series: Ints  # [P] rising
    start: Tensor  # [P] first place of the run
    seen: Tensor  # [P, D]
    counts: Ints  # [S]

    @property
    def first(self) -> Ints:
        return np.cumsum(self.counts) - self.counts

    def histories(self, at: Tensor, history: int) -> Tensor:
        """The h vectors before these places, [..., h, D]; before a run began, and where nothing was, the mean."""
        back = at[..., None] - torch.arange(history, 0, -1)  # [..., h]
        vectors = self.seen[back.clamp(min=0)].clamp(-INSIDE, INSIDE).nan_to_num(0.0)  # [..., h, D]
        return torch.where((back >= self.start[at][..., None])[..., None], vectors, 0.0)


def fit_scales(vectors: Vectors, numbers: Ints, groups: Groups) -> Scales:
    """Means and deviations; a deviation is never less than one step of the resolution."""
    steps = resolutions(vectors, groups.keys)  # [S, D]
    mean, deviation = np.zeros(steps.shape), np.ones(steps.shape)
    for series, rows in enumerate(members(numbers, len(steps))):
        for at, mine in enumerate(vectors.values[rows].T):
            known = mine[np.isfinite(mine)]
            if len(known):
                mean[series, at] = known.mean()
                deviation[series, at] = max(known.std(), steps[series, at])
    return Scales(mean, deviation, steps / deviation)


def build(series: int, positions: int, units: int, layers: int, history: int, training: Training) -> ForecastNetwork:
    """Untrained networks; the seed is the training's."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = ForecastNetwork(series, positions, units, layers, history)
    return network.to(pick_device(training.device))


def train_steps(
    forecasters: Forecasters, seen: tuple[Vectors, Ints], held: tuple[Vectors, Ints], training: Training
) -> Iterator[Step]:
    """Train all networks at once, a step an epoch; each series keeps the weights that served its held-out part best."""
    network, over = forecasters.network, forecasters.over
    places, valid = (_places(vectors, numbers, forecasters.scales, over) for vectors, numbers in (seen, held))
    best = Best(network, len(forecasters.groups))

    def valid_loss() -> float:
        return best.update(_mean_errors(network, valid, len(forecasters.groups)))

    valid_loss()  # what does not forecast the held-out part better than the mean does stays at the mean
    drawn = torch.ones(min(int(places.counts.max(initial=1)), MOST))
    try:
        yield from train(network, _loss(network, places, training.seed), drawn, valid_loss, training)
    finally:
        best.restore()


class Best:
    """Each series' best weights so far, by the errors [S] that it is told."""

    def __init__(self, network: ForecastNetwork, series: int) -> None:
        self._network = network
        self._weights = {name: value.detach().clone() for name, value in network.named_parameters()}
        self._errors = torch.full((series,), torch.inf)

    def update(self, errors: Tensor) -> float:
        """Keep the weights of the series that are better than ever; the mean of the errors."""
        better = errors < self._errors
        self._errors = torch.where(better, errors, self._errors)
        for name, value in self._network.named_parameters():
            self._weights[name][better] = value.detach()[better]
        return float(errors.mean()) if len(errors) else 0.0

    @torch.no_grad()
    def restore(self) -> None:
        """Put the best weights into the network."""
        for name, value in self._network.named_parameters():
            value.copy_(self._weights[name])


def _loss(network: ForecastNetwork, places: _Places, seed: int) -> Callable[[Tensor], Tensor]:
    """Mean squared error at places of every series: example i is the i-th place from a random one, round and round."""
    counts, first = torch.from_numpy(places.counts)[:, None], torch.from_numpy(places.first)[:, None]  # [S, 1]
    generator, device = torch.Generator().manual_seed(seed), training_device(network)

    def loss(batch: Tensor) -> Tensor:
        shift = torch.randint(0, 1 << 40, counts.shape, generator=generator)
        at = first + (batch.cpu()[None] + shift) % counts  # [S, B]
        wanted = places.seen[at].clamp(-LEARNT, LEARNT).to(device)  # [S, B, D]
        told = network(places.histories(at, network.history).to(device))
        return mean_square(wanted - told).sum(0)

    return loss


def mean_square(difference: Tensor) -> Tensor:
    """Mean over the positions that there are, [..., D] -> [...]; 0 where there is none."""
    there = difference.isfinite()
    return torch.where(there, difference, 0.0).square().sum(-1) / there.sum(-1).clamp(min=1)


def _mean_errors(network: ForecastNetwork, places: _Places, series: int) -> Tensor:
    """Mean over each series of its squared errors, drawn in as in training: [S]."""
    told = torch.from_numpy(_forecast(network, places)).float()
    errors = mean_square(places.seen.clamp(-LEARNT, LEARNT) - told)
    total = torch.zeros(series).index_add_(0, torch.from_numpy(places.series), errors)
    return total / torch.from_numpy(places.counts).clamp(min=1)


def _places(vectors: Vectors, numbers: Ints, scales: Scales, over: Literal["log", "session"]) -> _Places:
    entries, start = runs(vectors, numbers, over)
    series = numbers[entries]
    seen = (vectors.values[entries] - scales.mean[series]) / scales.deviation[series]
    counts = np.bincount(series, minlength=len(scales.mean)).astype(np.int64)
    seen = seen.clip(-FARTHEST, FARTHEST)
    return _Places(entries, series, torch.from_numpy(start), torch.from_numpy(seen).float(), counts)


@torch.no_grad()
@one_thread()
def _forecast(network: ForecastNetwork, places: _Places, block: int = BLOCK) -> Floats:
    """Forecasts for every place, [P, D]; a block of places of all series that have so many at a time."""
    device, told = training_device(network), torch.zeros_like(places.seen)
    network.eval()
    for begin in range(0, int(places.counts.max(initial=0)), block):
        which = np.flatnonzero(places.counts > begin)
        rows = np.minimum(
            begin + np.arange(block), places.counts[which, None] - 1
        )  # [A, B]; the last one again and again
        at = torch.from_numpy(places.first[which, None] + rows)
        histories = places.histories(at, network.history).to(device)
        told[at] = network(histories, torch.from_numpy(which).to(device)).cpu()
    return told.numpy().astype(np.float64)
