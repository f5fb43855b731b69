"""The one training loop, in the open: Adam on weighted examples, early stop on held-out normal data.

It sees tensors and two functions, and knows neither keys nor sessions.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
import torch
from torch import Tensor, nn

Loss = Callable[[Tensor], Tensor]  # indices of examples -> their losses, one each


@dataclass(frozen=True)
class Training:
    """How a network is trained. The paper states none of these."""

    epochs: int = 30  # at most; the step size falls to nothing over them
    patience: int = 10  # epochs without a better held-out loss before we stop
    batch: int = 256  # windows a step
    draws: int = 8192  # windows an epoch, or as many as there are distinct ones if that is more
    rate: float = 1e-2  # Adam's first step size
    decay: float = 0.01  # of the weights (AdamW)
    temper: float = 0.7  # windows are drawn by count ** temper and weighted back: rare ones are seen often enough
    seed: int = 0
    device: str = "auto"  # cuda where there is one, else mps, else cpu


@dataclass(frozen=True)
class Step:
    """One epoch: losses in nats per entry, held-out loss None where nothing was held out."""

    epoch: int
    loss: float
    valid_loss: float | None
    best_epoch: int
    best_loss: float
    seconds: float

    def __str__(self) -> str:
        held = "" if self.valid_loss is None else f" · held-out {self.valid_loss:.4f}"
        best = f" · best {self.best_loss:.4f} at epoch {self.best_epoch}"
        return f"epoch {self.epoch} · loss {self.loss:.4f}{held}{best} · {self.seconds:.1f} s"


def losses(steps: Sequence[Step]) -> pl.DataFrame:
    """``epoch, loss, valid_loss, seconds``: how a training went."""
    rows = [(step.epoch, step.loss, step.valid_loss, step.seconds) for step in steps]
    schema = {"epoch": pl.UInt32, "loss": pl.Float64, "valid_loss": pl.Float64, "seconds": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def train(
    network: nn.Module, loss: Loss, weights: Tensor, valid_loss: Callable[[], float] | None, training: Training
) -> Iterator[Step]:
    """Train, a :class:`Step` an epoch; however it ends (patience, interrupt, break), the best weights stay.

    ``weights`` (on the CPU, where the draws are made) says how often each example occurred; the loss is the
    mean over occurrences.
    """
    keep_memory()
    generator = torch.Generator().manual_seed(training.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=training.decay)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, training.epochs)
    best, best_loss, best_epoch, began = _copy(network), float("inf"), 0, time.perf_counter()
    try:
        for epoch in range(1, training.epochs + 1):
            with alone(training.seed * 1_000_003 + epoch, training_device(network)):
                seen = _epoch(network, loss, weights, optimizer, generator, training)
                held = valid_loss() if valid_loss else None
            judged = seen if held is None else held
            schedule.step()
            if judged < best_loss:
                best, best_loss, best_epoch = _copy(network), judged, epoch
            yield Step(epoch, seen, held, best_epoch, best_loss, time.perf_counter() - began)
            if epoch - best_epoch >= training.patience:
                return
    finally:
        network.load_state_dict(best)


def _epoch(
    network: nn.Module,
    loss: Loss,
    weights: Tensor,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    training: Training,
) -> float:
    """Draw examples more evenly than they occurred, and weigh each back: the loss stays that of the occurrences."""
    network.train()
    drawn = weights.double() ** training.temper  # [N]
    back = (weights.double() / weights.sum() / (drawn / drawn.sum())).float().to(training_device(network))  # [N]
    total = torch.zeros((), device=back.device)
    picks = torch.multinomial(drawn, max(len(drawn), training.draws), replacement=True, generator=generator)  # [N]
    for batch in picks.to(back.device).split(training.batch):
        optimizer.zero_grad()
        weighted = loss(batch) * back[batch]  # [B]
        weighted.mean().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += weighted.detach().sum()
    return float(total / len(picks))


def training_device(network: nn.Module) -> torch.device:
    """Where the network's weights are."""
    return next(network.parameters()).device


def pick_device(wanted: str) -> torch.device:
    """The device of that name; ``"auto"`` is cuda where there is one, else mps, else cpu."""
    if wanted != "auto":
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def keep_memory() -> None:
    """Have glibc keep freed memory rather than return it each step: training is 1.7 to 2.5 times faster."""
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        for option, value in ((-3, 1 << 30), (-1, 2**31 - 1), (-2, 256 << 20)):  # mmap, trim, top pad
            libc.mallopt(option, value)
    except (OSError, AttributeError):  # another libc: slower, not wrong
        return


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, given back: so small a network is hardly faster with more.

    More threads make results depend on the number of cores, and on a busy machine they wait for each other:
    14 times longer was seen.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def alone(seed: int, device: torch.device) -> Iterator[None]:
    """Our own random state and one thread, both given back."""
    devices = [device] if device.type == "cuda" else []
    with one_thread(), torch.random.fork_rng(devices):  # dropout draws from the global generator
        torch.manual_seed(seed)
        yield


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
