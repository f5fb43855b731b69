"""Speed of a live log beside the whole log at once and beside one window a call, in the same run (``make bench``).

It asserts only that the verdicts agree.
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from timing import median, row, seconds

from deeplog_nb.data import make_hdfs, make_openstack
from deeplog_nb.detector import Cut, Detector
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.sessions.windows import sequences, windows

SIZES = (100, 1_000, 10_000)  # lines a push
SINGLE = 2_000  # lines that are pushed one by one
PEER = 500  # entries that the usual implementation scores
LOGS = {"OpenStack": lambda: make_openstack(1, vms=1000).text, "HDFS": lambda: make_hdfs(1, blocks=2000).text}


def detector_of(lines: pl.DataFrame) -> Detector:
    """All three models, trained on the first third."""
    return Detector.fit(lines.head(len(lines) // 3), keys=KeyModel(training=Training(epochs=5)))


def without_values(detector: Detector, lines: pl.DataFrame) -> Detector:
    """The same with a value model that has nothing to judge."""
    sessions = sessionize(detector.templates.parse(lines), by=detector.cut.by).drop("parameters")
    return replace(detector, values=ValueModel(elapsed=False).fit(sessions.head(2000)))


def warm(detector: Detector, lines: pl.DataFrame):
    """A stream that has seen so much already."""
    stream = detector.stream()
    for at in range(0, len(lines), 5_000):
        stream.push(lines[at : at + 5_000])
    return stream


def pushes(stream, lines: pl.DataFrame, size: int) -> np.ndarray:
    """Seconds that each push takes."""
    return np.array([seconds(lambda at=at: stream.push(lines[at : at + size])) for at in range(0, len(lines), size)])


@pytest.mark.parametrize("name", LOGS)
def test_a_stream_against_the_whole_log_and_one_window_a_call(name: str, tmp_path: Path):
    """Entries a second by the size of a push, and how long a single entry takes."""
    path = tmp_path / "made.log"
    path.write_text(LOGS[name]())
    lines = read(path).sort("time", maintain_order=True)
    seen, live = lines.head(len(lines) // 2), lines.tail(len(lines) - len(lines) // 2)
    detector = detector_of(lines)
    print(f"\n{name}: {len(seen):,} lines before, {len(live):,} lines live")
    row("the whole log at once", len(live), "entries", median(lambda: detector.judge(live)))
    row("one window a call (key model alone)", PEER, "entries", one_by_one(detector, live))
    for told, model in (("", detector), ("without values: ", without_values(detector, seen))):
        for size in SIZES:
            row(f"{told}pushes of {size:,}", len(live), "entries", pushes(warm(model, seen), live, size).sum())
        single(told, model, seen, live.head(SINGLE))
    assert_alike(detector, live)


def single(told: str, detector: Detector, seen: pl.DataFrame, live: pl.DataFrame) -> None:
    stream = warm(detector, seen)
    gc.collect()
    cpu, took = time.process_time(), np.sort(pushes(stream, live, 1)) * 1e3
    cpu = (time.process_time() - cpu) / len(live) * 1e3
    tops = ", ".join(f"p{share} {np.percentile(took, share):.2f}" for share in (50, 90, 99))
    print(f"{f'{told}one entry a push':<48} {tops} ms   (processor {cpu:.2f} ms)")


def one_by_one(detector: Detector, lines: pl.DataFrame) -> float:
    """What the usual implementation does for each entry."""
    sessions = sessionize(detector.templates.parse(lines, parameters=False), by=detector.cut.by)
    found = windows(sequences(sessions), detector.keys.vocabulary, detector.keys.settings.history)
    histories = torch.from_numpy(found.histories[found.of_entry[:PEER]])

    @torch.no_grad()
    def peer():
        detector.keys.network.eval()
        return [detector.keys.network(history[None]).softmax(-1).topk(9) for history in histories]

    return seconds(peer)


def assert_alike(detector: Detector, lines: pl.DataFrame) -> None:
    stream = detector.stream()
    told = pl.concat([*(stream.push(lines[at : at + 1000]) for at in range(0, len(lines), 1000)), stream.close()])
    batch = replace(detector, cut=Cut(detector.cut.by, "1h")).judge(lines)
    at = ["session", "position", "line"]
    both = told.join(batch, on=at, nulls_equal=True, suffix="_batch")
    assert len(both) == len(told) == len(batch)
    assert both.filter(pl.col("anomalous") != pl.col("anomalous_batch")).is_empty()
