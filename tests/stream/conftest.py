"""Small detectors of generated logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.data import make_hdfs, make_openstack
from deeplog_nb.detector import Detector
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.halves import first_half


def fit(lines: pl.DataFrame, **cut) -> Detector:
    """A detector that was trained for a moment."""
    keys = KeyModel(training=Training(epochs=2, device="cpu"))
    values = ValueModel(training=Training(epochs=2, patience=2, batch=64, draws=256, temper=1.0, device="cpu"))
    return touchy(Detector.fit(lines, keys=keys, values=values, **cut))


def touchy(detector: Detector) -> Detector:
    """The same with bounds that every rule often exceeds, so that there is something to compare."""
    policy = replace(detector.policy, probability=0.05, ending=0.5, confidence=0.6)
    return replace(detector, policy=policy, values=detector.values.at(confidence=0.6))


def written(text: str, folder: Path) -> pl.DataFrame:
    """LINES of a log with this text."""
    path = folder / "made.log"
    path.write_text(text)
    return read(path)


@pytest.fixture(scope="session")
def openstack(tmp_path_factory) -> tuple[Detector, pl.DataFrame]:
    """A detector, and a log with anomalies, interleaved machines and lines of none."""
    lines = written(make_openstack(5, vms=80, anomalies=1).text, tmp_path_factory.mktemp("openstack"))
    return fit(first_half(lines)), lines


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory) -> tuple[Detector, pl.DataFrame]:
    """A detector, and a log whose clock shows seconds and whose lines name several blocks."""
    lines = written(make_hdfs(5, blocks=120, anomalies=1).text, tmp_path_factory.mktemp("hdfs"))
    return fit(first_half(lines)), lines


@pytest.fixture(scope="session")
def fitted() -> Callable[..., Detector]:
    """``fitted(lines, by=…)``: a detector that was trained for a moment."""
    return fit
