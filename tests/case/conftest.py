"""A tiny log of jobs, a detector of it trained in a second, and the same log gone wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest

from deeplog_nb.detector import Detector
from deeplog_nb.frames import LINES, RULES, VERDICTS
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training

NORMAL = ("starting up", "reading input", "writing output", "shutting down")
Jobs = Callable[..., pl.DataFrame]


def _jobs(*sessions: tuple[str, ...], file: str = "/var/log/jobs.log") -> pl.DataFrame:
    said = [f"job-{at} {message}" for at, messages in enumerate(sessions) for message in messages]
    numbers = range(1, 1 + len(said))
    begin = datetime(2026, 3, 2)
    columns = {
        "file": file,
        "line": numbers,
        "offset": numbers,
        "length": 1,
        "time": [begin + timedelta(seconds=n) for n in numbers],
        "level": "",
        "source": "",
        "message": said,
        "matched": True,
        "flags": [[] for _ in said],
    }
    return pl.DataFrame(columns, schema=dict(LINES))


@pytest.fixture(scope="package")
def jobs() -> Jobs:
    """Makes LINES of these sessions, one after the other, named job-0, job-1, …; a second a line."""
    return _jobs


@pytest.fixture(scope="package")
def detector() -> Detector:
    model = KeyModel(history=3, units=8, layers=1, training=Training(epochs=5, device="cpu"))
    return Detector.fit(_jobs(*[NORMAL] * 100), by=r"^(job-\d+)", keys=model)


@pytest.fixture(scope="package")
def normal() -> pl.DataFrame:
    return _jobs(*[NORMAL] * 10)


@pytest.fixture(scope="package")
def wrong() -> pl.DataFrame:
    """Ten jobs, of which job-1 meets an unknown message, job-2 skips a step and job-3 stops half way."""
    crash = (*NORMAL[:2], "disk on fire", *NORMAL[2:])
    return _jobs(NORMAL, crash, (NORMAL[0], *NORMAL[2:]), NORMAL[:2], *[NORMAL] * 6)


PLACES = {"line": pl.UInt64(), "file": pl.Categorical(), "offset": pl.UInt64(), "generation": pl.UInt32()}
Row = tuple[str | None, int | None, int | None, bool]


@pytest.fixture(scope="package")
def judged() -> Callable[..., pl.DataFrame]:
    """VERDICTS of rows (session, position, key, anomalous), with file, line, and what raised each alarm as pattern."""

    def build(*rows: Row, **columns: object) -> pl.DataFrame:
        names = ["session", "position", "key", "unseen"]
        said = {"count": 1, "open": False, "rank": 1, "probability": 0.5, **dict.fromkeys(RULES[1:], False)}
        said |= {"score": 1.0, "why": "", "line": 7, "file": "a.log"} | columns
        frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None).with_columns(
            pl.Series(name, value) if isinstance(value, list) else pl.lit(value).alias(name)
            for name, value in said.items()
        )
        kinds = VERDICTS | {name: kind for name, kind in PLACES.items() if name in said}
        shown = frame.with_columns(anomalous="unseen", pattern=pl.when("unseen").then(pl.format("[{}]", "key")))
        return shown.select(*[pl.col(name).cast(kind) for name, kind in kinds.items()], pl.exclude(*kinds))

    return build
