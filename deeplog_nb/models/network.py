"""The log-key network: one-hot history -> stacked LSTM -> scores of what comes next (paper, §3.1).

Tensors only. Axes: B batch, h history, V history codes, U units, C classes (the keys, then the end).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 the name that everybody uses
from torch import Tensor, nn


class KeyNetwork(nn.Module):
    """LSTM over one-hot keys; scores from the last step's hidden state."""

    def __init__(self, inputs: int, classes: int, units: int, layers: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.lstm = nn.LSTM(inputs, units, layers, batch_first=True)
        self.scores = nn.Linear(units, classes)

    def forward(self, histories: Tensor) -> Tensor:
        """Scores of what comes next (before the softmax)."""
        one_hot = F.one_hot(histories, self.inputs).to(self.scores.weight.dtype)  # [B, h, V]
        hidden, _ = self.lstm(one_hot)  # [B, h, U]
        scores: Tensor = self.scores(hidden[:, -1])  # [B, C]
        return scores


@torch.no_grad()
def probabilities(network: KeyNetwork, histories: Tensor, rows: int = 1024) -> Tensor:
    """Probability of each class after each history, on the CPU: [N, C].

    Rows go through in blocks of one fixed size, the last one padded, so that a history's result does
    not depend on how many others it is asked with.
    """
    network.eval()
    device = network.scores.weight.device
    parts = []
    for block in histories.split(rows):
        padded = F.pad(block, (0, 0, 0, rows - len(block)))  # [rows, h]
        parts.append(network(padded.to(device)).softmax(-1)[: len(block)].cpu())
    return torch.cat(parts) if parts else torch.empty(0, network.scores.out_features)
