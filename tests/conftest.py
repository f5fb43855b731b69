"""What tests share: where the real logs are, for those that need them, a browser, and sessions out of key sequences."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import settings

Sessions = Callable[..., pl.DataFrame]

settings.register_profile("same", derandomize=True)  # `make test` draws the same each time: what fails, a change broke
settings.register_profile("fresh")  # `make fuzz` draws anew
settings.load_profile("same")


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, or a skip that says why there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium or google-chrome on the path")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
