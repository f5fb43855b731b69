"""A few steps on what a person declared normal, with replay so that nothing is forgotten (paper, section 3.3).

The paper says: train on the pair (window -> observed key), do not train from scratch. It says neither how many
steps, nor what keeps the old, nor how a key that is new gets in. Here each step mixes declared windows, whose target
is the old model's answer with a share for the declared key, with windows of the training part, whose target
is the old model's answer itself (Hinton et al., 2015; Li and Hoiem, 2016).

Tensors only. Axes: D declared windows, R windows to replay, h history, V history codes, C classes, B batch.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from deeplog_nb.models.network import KeyNetwork, ranked
from deeplog_nb.models.training import alone, keep_memory, training_device
from deeplog_nb.sessions.vocabulary import FIRST, UNKNOWN, Vocabulary

FAINT: Final = -30.0  # log odds of a key just admitted: below any bound: elsewhere it stays an alarm
REPLAYED: Final = 4.0  # what all replayed windows of a step count, against 1 of the declared ones
SPILT: Final = 1.0  # what a nat counts by which a declared key gets more probable elsewhere
SLACK: Final = 1.0  # nats that are let pass
ENOUGH: Final = 0.5  # of its share, for a declared key to count as learnt


@dataclass(frozen=True)
class Teaching:
    """How a fitted network is taught; the paper states none of these."""

    steps: int = 300  # at most; over as soon as every declared key has its share
    every: int = 10  # steps between looks at whether it has
    declared: int = 64  # windows a step that were declared
    replay: int = 192  # and that are replayed
    rate: float = 1e-2  # Adam's step size
    share: float = 0.2  # probability of a declared key after its window, or more where it came more often
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """Windows as tensors: what was declared, what is replayed."""

    histories: Tensor  # [D, h]
    nexts: Tensor  # [D]
    shares: Tensor  # [D] probability that each declared key is to have
    replay: Tensor  # [R, h]
    weights: Tensor  # [R] how often each is drawn


def grown(network: KeyNetwork, known: Vocabulary, more: Vocabulary) -> KeyNetwork:
    """A network for a larger vocabulary that answers as this one does: a new key is read as unknown, and improbable."""
    sizes = more.inputs, more.end + (network.scores.out_features - known.end)
    shape = network.lstm.hidden_size, network.lstm.num_layers
    with torch.random.fork_rng(devices=[]):  # what it begins with is overwritten
        wider = KeyNetwork(*sizes, *shape, dropout=network.dropout.p, direct=network.direct is not None)
    wider = wider.to(training_device(network))
    at = [more.keys.index(key) for key in known.keys]
    inputs = torch.full((more.inputs,), UNKNOWN)  # [V] which old code each new one is read as
    inputs[:FIRST] = torch.arange(FIRST)
    inputs[[FIRST + place for place in at]] = torch.arange(FIRST, known.inputs)
    classes = [*at, *range(more.end, sizes[1])]  # [old C] where each old class stands now
    old = network.state_dict()
    wider.load_state_dict({name: _widened(name, old[name], inputs, classes, sizes[1]) for name in old})
    if wider.direct is None:
        new = torch.ones(sizes[1], dtype=torch.bool)
        new[classes] = False
        wider.scores.bias.data[new] += FAINT
    return wider


def teach(network: KeyNetwork, lesson: Lesson, teaching: Teaching) -> int:
    """Train this network on the lesson, in place; returns the steps it took. What it knew is what it answers now."""
    keep_memory()
    device = training_device(network)
    before = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), lr=teaching.rate)
    generator = torch.Generator().manual_seed(teaching.seed)
    with alone(teaching.seed, device), _undropped(network):
        for step in range(teaching.steps):
            if step % teaching.every == 0 and _has_learnt(network, lesson):
                return step
            batch = _batch(before, lesson, teaching, generator)
            network.train()
            optimizer.zero_grad()
            told = network(batch.histories).log_softmax(-1)  # [B, C]
            (-(batch.targets * told).sum(1) @ batch.weights + _spill(told, batch)).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
    return teaching.steps


@contextmanager
def _undropped(network: KeyNetwork) -> Iterator[None]:
    """Without dropout, since the old answers are to be kept; in the mode of training, which CUDA's LSTM asks for."""
    kept = network.lstm.dropout, network.dropout.p
    network.lstm.dropout = network.dropout.p = 0.0
    try:
        yield
    finally:
        network.lstm.dropout, network.dropout.p = kept


@dataclass(frozen=True)
class _Batch:
    histories: Tensor  # [B, h]
    targets: Tensor  # [B, C] probabilities to answer
    weights: Tensor  # [B] how much each row counts
    before: Tensor  # [B, C] log probabilities of the old model
    declared: Tensor  # classes that this lesson declares
    first: int  # the rows from here on are replayed


@torch.no_grad()
def _batch(before: KeyNetwork, lesson: Lesson, teaching: Teaching, generator: torch.Generator) -> _Batch:
    chosen = torch.randperm(len(lesson.histories), generator=generator)[: teaching.declared]
    histories = lesson.histories[chosen]
    if len(lesson.replay):
        drawn = torch.multinomial(lesson.weights, teaching.replay, replacement=True, generator=generator)
        histories = torch.cat([histories, lesson.replay[drawn]])
    histories = histories.to(training_device(before))
    old = before(histories).log_softmax(-1)  # [B, C]
    targets, rows = old.exp(), torch.arange(len(chosen), device=old.device)
    share = lesson.shares[chosen].to(old)[:, None]  # [D, 1]
    targets[rows] = targets[rows] * (1 - share)
    targets[rows, lesson.nexts[chosen].to(old.device)] += share[:, 0]
    weights = torch.full((len(histories),), REPLAYED / max(teaching.replay, 1), device=old.device)
    weights[rows] = 1 / len(rows)
    return _Batch(histories, targets, weights, old, lesson.nexts.unique().to(old.device), len(rows))


def _spill(told: Tensor, batch: _Batch) -> Tensor:
    """By how many nats the declared keys have become more probable after histories where nobody declared them.

    Bounds are that low that the cross entropy does not see it: one in a billion is an alarm, one in a million is not.
    """
    risen = told[batch.first :, batch.declared] - batch.before[batch.first :, batch.declared] - SLACK
    return SPILT * risen.clamp(min=0).mean() if risen.numel() else told.new_zeros(())


@torch.no_grad()
def _has_learnt(network: KeyNetwork, lesson: Lesson) -> bool:
    """Whether each declared key has most of its share."""
    _, own = ranked(network, lesson.histories, lesson.nexts)
    return bool((own >= ENOUGH * lesson.shares).all())


@torch.no_grad()
def _widened(name: str, value: Tensor, inputs: Tensor, classes: list[int], many: int) -> Tensor:
    if name == "lstm.weight_ih_l0":
        return value[:, inputs]  # [4U, V]
    if name == "direct.weight":
        wide = value.new_full((len(inputs), many), FAINT)  # [V, C]
        wide[:, classes] = value[inputs]
        return wide
    if name.startswith("scores."):
        wide = value.mean(0).expand(many, *value.shape[1:]).clone()  # [C, …]
        wide[classes] = value
        return wide
    return value
