"""A few more training steps on new examples, with old ones beside them so that nothing is forgotten.

Tensors and arrays only. Axes: S series, A those that are trained, B examples of each, h history, D positions.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from deeplog_nb.models.forecast import ForecastNetwork
from deeplog_nb.models.forecasters import Best, Forecasters, Pairs, mean_square
from deeplog_nb.models.training import one_thread, training_device
from deeplog_nb.sessions.series import members

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATE: Final = 3e-3  # Adam's step size: a third of what training begins with
KEEPS: Final = (0.9, 0.999)  # share of the mean slope, and of the mean squared one, that Adam keeps each step
WORSE: Final = 1.01  # the error over old examples may grow to so much of what it was when the model was fitted
HARDLY: Final = 1e-4  # and by so much, in squared deviations, where it was next to nothing


@dataclass(frozen=True)
class _Table:
    """The examples of some series side by side, from the left on."""

    which: Tensor  # [A] of S
    histories: Tensor  # [A, B, h, D]
    nexts: Tensor  # [A, B, D]; NaN to the right of a series' last example
    counts: Tensor  # [A]

    @classmethod
    def of(cls, pairs: Pairs, which: Ints, device: torch.device) -> _Table:
        mine = members(pairs.series, int(which.max(initial=-1)) + 1)
        counts = np.array([len(mine[series]) for series in which], np.int64)
        at = np.zeros((len(which), int(counts.max(initial=0))), np.int64)  # [A, B]
        for row, series in enumerate(which):
            at[row, : counts[row]] = mine[series]
        there = np.arange(at.shape[1]) < counts[:, None]
        nexts = np.where(there[..., None], pairs.nexts[at], np.float32(np.nan))
        arrays = which, pairs.histories[at], nexts, counts
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def errors(self, network: ForecastNetwork) -> Tensor:
        """Mean squared error of each of these series: [A]."""
        told = network(self.histories, self.which)
        return mean_square(self.nexts - told).sum(1) / self.counts.clamp(min=1)


def errors_of(network: ForecastNetwork, pairs: Pairs, series: int) -> Floats:
    """Mean squared error of each series over these examples, [S]; 0 where it has none."""
    if not len(pairs.series):
        return np.zeros(series)
    with torch.no_grad(), one_thread():
        errors = _Table.of(pairs, np.arange(series), training_device(network)).errors(network)
    return errors.cpu().double().numpy()


def adjust(forecasters: Forecasters, old: Pairs, errors: Floats, new: Pairs, steps: int) -> Forecasters:
    """Forecasters that were trained so many steps on the new examples and the old ones, half and half.

    ``errors`` [S] are those over the old ones when the model was fitted. Each series ends with the weights that serve
    its new examples best while its old ones fare at most 1 % worse than that; a series without new examples keeps
    its weights to the last bit. No randomness: each step sees all examples.
    """
    which = np.unique(new.series)
    if not len(which) or not steps:
        return forecasters
    network = deepcopy(forecasters.network)
    device, best = training_device(network), Best(network, len(forecasters.groups))
    known, learnt = (_Table.of(pairs, which, device) for pairs in (old, new))
    limit = torch.from_numpy(errors[which] * WORSE + HARDLY)
    walk = _Adam(list(network.parameters()))
    with one_thread(), torch.enable_grad():
        for step in range(steps + 1):
            kept, wanted = known.errors(network), learnt.errors(network)  # [A], [A]
            best.update(_ranked(kept, wanted, limit, which, len(forecasters.groups)))
            if step < steps:
                walk.step((kept + wanted).sum())
    best.restore()
    return replace(forecasters, network=network)


class _Adam:
    """Kingma and Ba's steps (2015); torch's own take most of a second to load, which a single label need not wait for.

    A weight whose slope is always 0 stays the same to the last bit.
    """

    def __init__(self, weights: list[nn.Parameter]) -> None:
        self._weights = weights
        self._means, self._squares = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
        self._steps = 0

    def step(self, loss: Tensor) -> None:
        """One step down the loss."""
        slopes = torch.autograd.grad(loss, self._weights)
        self._steps += 1
        shares = [1 - keep**self._steps for keep in KEEPS]
        with torch.no_grad():
            for weight, slope, mean, square in zip(self._weights, slopes, self._means, self._squares, strict=True):
                mean.lerp_(slope, 1 - KEEPS[0])
                square.lerp_(slope**2, 1 - KEEPS[1])
                weight.sub_(RATE * (mean / shares[0]) / ((square / shares[1]).sqrt() + 1e-8))


def _ranked(kept: Tensor, wanted: Tensor, limit: Tensor, which: Ints, series: int) -> Tensor:
    """The errors over new examples, infinite where the old ones have got too much worse: [S]."""
    told = torch.full((series,), torch.inf)
    told[which] = torch.where(kept.detach().cpu() <= limit, wanted.detach().cpu(), torch.inf)
    return told
