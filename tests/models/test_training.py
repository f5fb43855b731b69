"""The training loop, by itself."""

import torch
from torch import nn

from deeplog_nb.models.training import Training, pick_device, train


def line(weight: float = 0.0) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def test_the_loss_is_the_mean_over_occurrences():
    """Drawing by a tempered weight and weighing back leaves the expected loss what it was."""
    weights = torch.tensor([90.0, 9.0, 1.0])
    losses = torch.tensor([1.0, 2.0, 10.0])
    network = line()
    still = Training(epochs=1, rate=0.0, draws=20_000, batch=500)
    step = next(train(network, lambda batch: losses[batch] + 0 * network.weight.sum(), weights, None, still))
    assert abs(step.loss - 1.18) < 0.05  # (90 * 1 + 9 * 2 + 1 * 10) / 100


def test_the_best_weights_stay():
    """However training ends, the network has the weights of its best held-out loss."""
    network = line()
    held = iter([3.0, 1.0, 2.0, 2.0])

    def loss(batch):
        return (network.weight - 5).square().expand(len(batch), 1)[:, 0]

    steps = train(network, loss, torch.ones(8), lambda: next(held), Training(epochs=4, draws=8))
    seen = [network.weight.item() for _ in steps]
    assert network.weight.item() == seen[1]


def test_a_device_by_name_is_that_device():
    """What the user asks for is what he gets."""
    assert pick_device("cpu").type == "cpu"
