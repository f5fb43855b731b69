"""Rank and probability of windows of which only a few are asked, without a frame: what a stream asks for."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from deeplog_nb.models.network import BLOCK, KeyNetwork, ranked
from deeplog_nb.sessions.windows import Windows

BLOCKS: Final = ((8, 8), (64, 512))  # histories that are scored together, where no more than so many are asked
Scored = tuple[int | None, float | None]


def scored(network: KeyNetwork, found: Windows) -> list[Scored]:
    """Rank and probability of each entry; (None, 0) where its key is not known, nothing where it has no window."""
    rows = next((rows for rows, most in BLOCKS if len(found.nexts) <= most), BLOCK)
    ranks, own = ranked(network, torch.from_numpy(found.histories), torch.from_numpy(found.nexts), rows)
    told: list[Scored] = list(zip(ranks.tolist(), own.tolist(), strict=True))
    told += [(None, None), (None, 0.0)]
    at = np.where(found.unknown, -1, np.where(found.of_entry < 0, -2, found.of_entry))
    return [told[each] for each in at.tolist()]
