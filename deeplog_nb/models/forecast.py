"""Many small LSTMs side by side: one for each series, forecasting its next vector (paper, section 3.2).

All weights have the series as their first axis, so that hundreds of networks take one step in one product of
batches; none of them sees another's data. *Direct* connections lead from the last vectors to the forecast, and all
outputs begin at zero: an untrained network forecasts the mean.

Tensors only. Axes: S series, B entries of each, h history, D positions, U units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ForecastNetwork(nn.Module):
    """S independent LSTMs; the forecast is linear in the last step's hidden state and in the history itself."""

    def __init__(self, series: int, positions: int, units: int, layers: int, history: int) -> None:
        super().__init__()
        self.history = history
        sizes = [positions, *[units] * layers]
        self.inputs = nn.ParameterList(_spread(series, size, 4 * units) for size in sizes[:-1])
        self.recurrent = nn.ParameterList(_spread(series, units, 4 * units) for _ in range(layers))
        self.biases = nn.ParameterList(nn.Parameter(_forgetful(series, units)) for _ in range(layers))
        self.scores = nn.Parameter(torch.zeros(series, units, positions))
        self.offset = nn.Parameter(torch.zeros(series, 1, positions))
        self.direct = nn.Parameter(torch.zeros(series, history, positions))

    def forward(self, histories: Tensor, which: Tensor | None = None) -> Tensor:
        """Forecasts [S, B, D] after histories [S, B, h, D]; ``which`` names the series where not all are asked."""
        every = slice(None) if which is None else which
        steps = list(histories.unbind(2))  # h of [S, B, D]
        for inputs, recurrent, bias in zip(self.inputs, self.recurrent, self.biases, strict=True):
            steps = _layer(steps, inputs[every], recurrent[every], bias[every])  # h of [S, B, U]
        linear = (histories * self.direct[every][:, None]).sum(2)  # [S, B, D]
        return torch.baddbmm(self.offset[every] + linear, steps[-1], self.scores[every])


def _layer(steps: list[Tensor], inputs: Tensor, recurrent: Tensor, bias: Tensor) -> list[Tensor]:
    """One layer of all LSTMs over the h steps."""
    rows, units = steps[0].shape[:2], recurrent.shape[1]
    hidden = cell = steps[0].new_zeros(*rows, units)  # [S, B, U]
    told = []
    for step in steps:
        gates = torch.baddbmm(torch.baddbmm(bias, step, inputs), hidden, recurrent)  # [S, B, 4U]
        keep, add, show, new = gates.split(units, -1)
        cell = keep.sigmoid() * cell + add.sigmoid() * new.tanh()
        hidden = show.sigmoid() * cell.tanh()
        told.append(hidden)
    return told


def _spread(series: int, inputs: int, outputs: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(series, inputs, outputs).uniform_(-1, 1) / max(inputs, 1) ** 0.5)


def _forgetful(series: int, units: int) -> Tensor:
    """Biases that keep the cell's content at first."""
    bias = torch.zeros(series, 1, 4 * units)
    bias[..., :units] = 1.0
    return bias
