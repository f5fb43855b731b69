"""COUNTED with keys by number -> the same with the words of their templates, as a person reads them.

The check of counts knows keys alone. Words of a log are clipped, and what would steer a reader is made visible.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.views.text import gist, visible

CLIPPED: Final = 80  # characters of a template
_KEY: Final = re.compile(r"\bkey (\d+)")


def with_names(counted: pl.DataFrame, templates: Templates) -> pl.DataFrame:
    """The COUNTED frame whose reasons quote templates where they said ``key 3``; a key of none stays a number.

    >>> lines = pl.DataFrame({"message": ["open <b>", "shut"], "file": "a", "line": [1, 2]},
    ...     schema_overrides={"file": pl.Categorical(), "line": pl.UInt64()})
    >>> from deeplog_nb.events.spell import Spell
    >>> said = pl.DataFrame({"session": ["s"], "flagged": [True], "reason": ["key 1 occurs 2 times, key 7 once"]})
    >>> with_names(said, Spell().fit(lines))["reason"].item()
    '‘open <b>’ occurs 2 times, key 7 once'
    """
    told = {reason: _KEY.sub(partial(_named, templates), reason) for reason in counted["reason"].drop_nulls().unique()}
    return counted.with_columns(pl.col("reason").replace_strict(told, return_dtype=pl.String, default=None))


def _named(templates: Templates, found: re.Match[str]) -> str:
    key = int(found[1])
    return f"‘{visible(gist(templates.text(key), CLIPPED))}’" if key in templates.current else found[0]
