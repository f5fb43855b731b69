"""What tests share: where the real logs are, for those that need them, and sessions out of key sequences."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

Sessions = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """``data("hdfs/train_normal.parquet")``: a real log, or a skip that says why it is not there."""

    def find(name: str) -> Path:
        folder = os.environ.get("DEEPLOG_NB_DATA")
        if not folder:
            pytest.skip("DEEPLOG_NB_DATA does not name the folder of the real logs")
        path = Path(folder, name)
        if not path.exists():
            pytest.skip(f"{path} is not there")
        return path

    return find


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    """A frame of SESSIONS out of key sequences: ``sessions([1, 2, 3], [1, 3], counts=[5, 1])``."""

    def build(*sequences: Sequence[int], counts: Sequence[int] = (), open_: bool = False) -> pl.DataFrame:
        rows = [
            (f"s{number}", position, key, (counts or [1] * len(sequences))[number], open_)
            for number, keys in enumerate(sequences)
            for position, key in enumerate(keys)
        ]
        schema = {"session": pl.String, "position": pl.UInt32, "key": pl.UInt32, "count": pl.UInt32, "open": pl.Boolean}
        return pl.DataFrame(rows, schema=schema, orient="row")

    return build
