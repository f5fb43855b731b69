"""What tests share: where the real logs are, for those that need them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


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
