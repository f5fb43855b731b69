"""Small sessions that a model can learn in a second."""

from collections.abc import Callable, Sequence

import polars as pl
import pytest

Sessions = Callable[..., pl.DataFrame]


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
