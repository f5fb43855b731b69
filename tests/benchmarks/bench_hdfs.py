"""HDFS beside the usual public PyTorch implementation (``make bench``): time to its F1, all sessions, peak memory.

The peer's loop is written from its description: a 2-layer LSTM of 64 units that is fed the key as one float, Adam with
1e-3, 300 epochs over 46,575 windows in batches of 2,048; then one window a model call over the distinct test sessions.
A few epochs and calls are run and the rest extrapolated; the full run took 666 s and 49 s on two quiet cores.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import numpy as np
import polars as pl
import pytest
import torch
from timing import peak, seconds
from torch import nn

from deeplog_nb.evaluation.hdfs import hdfs
from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.sessions.flat import Flat, from_keys
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.verdicts.deeplog import DeepLog, Setting
from deeplog_nb.verdicts.judge import judge

HISTORY, BATCH, EPOCHS = 10, 2048, 300
RUN_EPOCHS, RUN_CALLS = 3, 2000  # of the peer: so many are run, the rest is extrapolated
PEER_F1 = 0.95  # on all sessions: the upper end of the .945 to .950 that were measured of it

Keys = tuple[np.ndarray, np.ndarray]  # u8 keys end to end, and where each session begins


class Peer(nn.Module):
    """The usual implementation's network: the key itself is the input."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 64, 2, batch_first=True)
        self.scores = nn.Linear(64, classes)

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """Scores of what comes next, from [B, h, 1]."""
        hidden, _ = self.lstm(histories)
        return self.scores(hidden[:, -1])


def every_window(sessions: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Histories as floats [N, h, 1] and what came next [N], repeats included."""
    found = [keys[at : at + HISTORY + 1] for keys in sessions for at in range(len(keys) - HISTORY)]
    table = torch.tensor(found)
    return table[:, :-1, None].float(), table[:, -1]


def peer_epoch(network: Peer, histories: torch.Tensor, nexts: torch.Tensor, adam: torch.optim.Optimizer) -> None:
    """One epoch of its training."""
    order = torch.randperm(len(nexts))
    for batch in order.split(BATCH):
        adam.zero_grad()
        nn.functional.cross_entropy(network(histories[batch]), nexts[batch]).backward()
        adam.step()


def peer_calls(network: Peer, histories: torch.Tensor) -> None:
    """One window a call, as it scores."""
    with torch.no_grad():
        for window in histories:
            network(window[None]).argsort(1)[0][-9:]


def listed(sessions: pl.DataFrame) -> pl.DataFrame:
    """``session, key, count``: a row a session."""
    return sessions.group_by("session", maintain_order=True).agg("key", pl.col("count").first())


def flat(parts: Parts) -> tuple[Keys, np.ndarray]:
    """Every test session by itself, as arrays; and whether each is abnormal."""
    told = listed(parts.test).join(parts.truth, on="session", maintain_order="left")
    each = told.select(pl.col("key", "anomalous").repeat_by("count")).explode("key", "anomalous")
    offsets = np.cumsum([0, *each["key"].list.len()], dtype=np.int64)
    return (each["key"].explode().to_numpy().astype(np.uint8), offsets), each["anomalous"].to_numpy()


def f1(flagged: np.ndarray, wrong: np.ndarray) -> float:
    """Of one verdict a session."""
    return float(2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum()))


def judged(model: DeepLog, keys: Keys) -> np.ndarray:
    """From flat keys to one verdict a session."""
    found = from_keys(*keys)
    return found.anomalous(model.judge(found.sessions))


def until(parts: Parts, found: Flat, wrong: np.ndarray) -> tuple[int, float, float]:
    """The first epoch of the paper's setting whose F1 passes the peer's: epoch, seconds of training, F1."""
    asked = Setting.paper()
    model, spent, began = KeyModel.of(asked.keys), 0.0, time.perf_counter()
    for step in model.steps(*holdout(parts.train, asked.stop)):
        spent += time.perf_counter() - began
        reached = f1(found.anomalous(judge(model.rank(found.sessions), policy=asked.policy)), wrong)
        if reached >= PEER_F1:
            return step.epoch, spent, reached
        began = time.perf_counter()
    raise AssertionError("no epoch reached the peer's F1")


def trained(parts: Parts, asked: Setting) -> tuple[DeepLog, float]:
    """The fitted method, and the seconds that it took."""
    model, began = DeepLog(asked), time.perf_counter()
    model.fit(parts.train)
    return model, time.perf_counter() - began


def say(what: str, spent: float, more: str) -> None:
    """One line of the table."""
    print(f"{what:<64} {spent:>9.2f} s   {more}")


@pytest.fixture(scope="module")
def parts(data) -> Parts:
    """The DeepLog split, where it is at hand."""
    data("hdfs/train_normal.parquet")
    print()
    return hdfs()


@pytest.fixture(scope="module")
def ours(parts) -> dict[str, tuple[DeepLog, float]]:
    """Both settings, trained to the end."""
    return {name: trained(parts, asked) for name, asked in (("paper", Setting.paper()), ("best", Setting.best()))}


def test_training_beside_the_peers(parts, ours):
    """Seconds until F1 on all sessions reaches the peer's, and of the whole training, beside its 300 epochs."""
    histories, nexts = every_window(listed(parts.train)["key"].to_list())
    assert len(nexts) == 46_575
    network = Peer(int(nexts.max()) + 1)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    peer_epoch(network, histories, nexts, adam)  # warm
    peer = seconds(lambda: [peer_epoch(network, histories, nexts, adam) for _ in range(RUN_EPOCHS)])
    peer *= EPOCHS / RUN_EPOCHS
    say(f"peer trains {EPOCHS} epochs, extrapolated from {RUN_EPOCHS}", peer, f"F1 {PEER_F1} as measured of it")
    keys, wrong = flat(parts)
    epoch, spent, reached = until(parts, from_keys(*keys), wrong)
    say(
        f"ours, paper: until epoch {epoch}, the first with the peer's F1",
        spent,
        f"F1 {reached:.3f}, 1/{peer / spent:.0f}",
    )
    for name, (model, spent) in ours.items():
        say(f"ours, {name}: to the end", spent, f"F1 {f1(judged(model, keys), wrong):.3f}, 1/{peer / spent:.0f}")


def test_scoring_all_sessions(parts, ours):
    """From flat keys to one verdict a session, all 570,204; the peer's one window a call over the distinct ones."""
    histories, _ = every_window(listed(parts.test).unique("key")["key"].to_list())
    some, network = histories[:: len(histories) // RUN_CALLS][:RUN_CALLS], Peer(29)
    peer = seconds(lambda: peer_calls(network, some)) * len(histories) / len(some)
    say(f"peer scores {len(histories):,} windows, extrapolated from {len(some):,}", peer, "distinct sessions only")
    keys, wrong = flat(parts)
    for name, (model, _) in ours.items():
        spent = sorted(seconds(partial(judged, model, keys)) for _ in range(5))
        say(f"ours, {name}: {len(wrong):,} sessions, fastest of 5", spent[0], f"middle {spent[2]:.2f} s")


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="no wait4 on this system")
def test_peak_memory(parts):
    """Of a process that reads, trains by our defaults and judges all sessions from flat keys."""
    megabytes, spent = peak([sys.executable, __file__])
    say("ours, best: reads, trains, judges all sessions", spent, f"{megabytes:,.0f} MB peak")


if __name__ == "__main__":
    everything = hdfs()
    assert judged(DeepLog().fit(everything.train), flat(everything)[0]).any()
