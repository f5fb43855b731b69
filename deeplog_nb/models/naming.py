"""Labels and sessions by name, for a person who is to go and look: the first few, and how many more.

Names come from a log: they are put on one line, clipped, and without what would steer a reader. How they become HTML is
for whoever shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

NAMED: Final = 3
CLIPPED: Final = 60  # characters of a name


def listed(names: Sequence[str]) -> str:
    r"""The first names, and how many more there are.

    >>> print(listed(["a\n", "b", "c", "d", "e"]))
    a\n, b, c and 2 more
    """
    return _with_more([_line(name) for name in names[:NAMED]], len(names))


def labels_named(labels: pl.DataFrame) -> str:
    """LABELS by their ids and what they are about.

    >>> labels_named(pl.DataFrame({"id": [2, 5], "session": ["vm-1", None], "position": [None, 3]}))
    'label 2 (session vm-1), label 5 (position 3)'
    """
    return _with_more([_named(row) for row in labels.head(NAMED).to_dicts()], len(labels))


def _with_more(first: Sequence[str], total: int) -> str:
    more = f" and {total - len(first):,} more" if total > len(first) else ""
    return ", ".join(first) + more


def _named(row: dict[str, Any]) -> str:
    if row["session"] is None and row.get("line") is not None:
        return f"label {row['id']} ({_line(str(row['file'])[-CLIPPED:])}:{row['line']})"
    session = [f"session {_line(row['session'])}"] if row["session"] is not None else []
    at = [f"position {row['position']}"] if row["position"] is not None else []
    return f"label {row['id']} ({', '.join([*session, *at])})"


def _line(text: str) -> str:
    clipped = text if len(text) <= CLIPPED else f"{text[: CLIPPED - 1]}…"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in clipped)
