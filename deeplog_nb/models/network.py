"""The log-key network: one-hot history -> stacked LSTM -> scores of what comes next (paper, §3.1).

Beside the LSTM there may be *direct* connections from the last key to the scores (Mikolov et al., ASRU 2011),
which begin as the logarithms of the pair counts: what always follows need not be learnt, so that a
few hundred sessions are enough for a transition that never happens to become truly improbable.

Tensors only. Axes: B batch, h history, V history codes, U units, C classes (the keys, then the end).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 the name that everybody uses
from torch import Tensor, nn

from deeplog_nb.models.training import one_thread
from deeplog_nb.sessions.vocabulary import BEFORE, UNKNOWN

BLOCK: Final = 1024  # histories that are scored at once
SMOOTHING: Final = 0.05  # occurrences that a pair which never occurred begins with


class KeyNetwork(nn.Module):
    """LSTM over one-hot keys; scores from the last step's hidden state."""

    def __init__(
        self, inputs: int, classes: int, units: int, layers: int, *, dropout: float = 0.0, direct: bool = False
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.lstm = nn.LSTM(inputs, units, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(units, classes)
        nn.init.zeros_(self.scores.weight)  # so that keys that never came are ranked by what is learnt of them,
        nn.init.zeros_(self.scores.bias)  # not by the noise that the scores began with
        self.direct = nn.Embedding(inputs, classes) if direct else None

    def forward(self, histories: Tensor) -> Tensor:
        """Scores of what comes next (before the softmax)."""
        one_hot = F.one_hot(histories, self.inputs).to(self.scores.weight.dtype)  # [B, h, V]
        hidden, _ = self.lstm(one_hot)  # [B, h, U]
        scores: Tensor = self.scores(self.dropout(hidden[:, -1]))  # [B, C]
        return scores if self.direct is None else scores + self.direct(histories[:, -1])

    @torch.no_grad()
    def begin_with_pairs(self, histories: Tensor, nexts: Tensor, counts: Tensor) -> None:
        """Set the direct connections to the log frequency of each next key after each last one."""
        if self.direct is None:
            return
        pairs = torch.full_like(self.direct.weight, SMOOTHING)  # [V, C]
        pairs.index_put_((histories[:, -1], nexts), counts.to(pairs), accumulate=True)
        self.direct.weight.copy_((pairs / pairs.sum(1, keepdim=True)).log())


def blurred(histories: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Some of the histories with all but their last few keys unknown.

    What is certain after a few keys is learnt as such, rather than by heart for each long history; and the
    network learns what unknown means.
    """
    if not share:
        return histories
    rows, h = histories.shape
    kept = torch.randint(1, h + 1, (rows, 1), generator=generator)  # [B, 1]
    kept = torch.where(torch.rand(rows, 1, generator=generator) < share, kept, h).to(histories.device)
    older = torch.arange(h, 0, -1, device=histories.device) > kept  # [B, h]
    return torch.where(older & (histories != BEFORE), UNKNOWN, histories)


@one_thread()
def probabilities(network: KeyNetwork, histories: Tensor) -> Tensor:
    """Probability of each class after each history, on the CPU: [N, C]."""
    parts = [chances.cpu() for chances in _blocks(network, histories)]
    return torch.cat(parts) if parts else torch.empty(0, network.scores.out_features)


@one_thread()
def ranked(network: KeyNetwork, histories: Tensor, nexts: Tensor, rows: int = BLOCK) -> tuple[Tensor, Tensor]:
    """Rank (1 = most probable) and probability of each history's own next class: [N], [N]; -1 is no class.

    With fewer ``rows`` a block, a few histories are answered sooner; the last digits of the results then differ.
    """
    ranks, owns, start = [], [], 0
    for chances in _blocks(network, histories, rows):  # [B, C]; never all of [N, C] at once
        wanted = nexts[start : start + len(chances)].to(chances.device)  # [B]
        own = chances.gather(1, wanted.clamp(min=0)[:, None])[:, 0].where(wanted >= 0, 0.0)  # [B]
        ranks.append(((chances > own[:, None]).sum(1) + 1).cpu())
        owns.append(own.cpu())
        start += len(chances)
    return torch.cat(ranks or [torch.empty(0, dtype=torch.int64)]), torch.cat(owns or [torch.empty(0)])


@torch.no_grad()
def _blocks(network: KeyNetwork, histories: Tensor, rows: int = BLOCK) -> Iterator[Tensor]:
    """Probabilities, a block of histories at a time.

    Blocks have one fixed size, the last one is padded, so that a history's result does not depend on how
    many others it is asked with.
    """
    network.eval()
    device = network.scores.weight.device
    for block in histories.split(rows):
        padded = F.pad(block, (0, 0, 0, rows - len(block)))  # [rows, h]
        yield network(padded.to(device)).softmax(-1)[: len(block)]
