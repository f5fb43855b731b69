"""RANKS by hand."""

from collections.abc import Callable

import polars as pl
import pytest

from deeplog_nb.frames import RANKS


@pytest.fixture(scope="session")
def ranks() -> Callable[..., pl.DataFrame]:
    """RANKS out of rows (session, key, rank, probability), positions counted, key None = end row."""

    def build(*rows: tuple[str, int | None, int | None, float], count: int = 1, open_: bool = False) -> pl.DataFrame:
        frame = pl.DataFrame(rows, schema=["session", "key", "rank", "probability"], orient="row")
        return frame.select(
            pl.col("session"),
            position=pl.int_range(pl.len()).over("session"),
            key="key",
            count=pl.lit(count),
            open=pl.lit(open_),
            rank="rank",
            probability="probability",
        ).cast(dict(RANKS))

    return build
