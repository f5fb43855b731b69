"""Which column, or which ids inside the messages, might tell this log's sessions apart: a ranked guess to look at.

It decides nothing; what it suggests is what :func:`sessionize` takes as ``by``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from deeplog_nb.events.masks import shape
from deeplog_nb.frames import EVENTS, InputError, check

LOOKED_AT: Final = 50_000  # lines, the first ones: sessions in them are whole
NAMES: Final = 20  # names of ids looked at closer, the most frequent ones
FEWEST: Final = 5  # different values; with fewer nothing is told apart
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MESSAGE: Final = {"message": pl.String()}


@dataclass(frozen=True)
class Kind:
    """How ids are written: a text with its name in front, which of it is the name, and the pattern for one name."""

    text: str
    name: str
    by: str


KINDS: Final = (
    Kind("[A-Za-z]{2,30}_-?[0-9][0-9A-Za-z_]{0,60}", "^([A-Za-z]+)_", r"\b({}_-?[0-9]\w*)"),
    Kind(rf"[A-Za-z]{{2,30}}[^0-9A-Za-z]{{1,3}}{_UUID}", "^([A-Za-z]+)", rf"\b{{}}[^0-9A-Za-z]{{1,3}}({_UUID})"),
    Kind("[A-Za-z]{2,30}[=:#] ?[0-9A-Za-z.-]{1,60}", "^([A-Za-z]+)", r"\b{}[=:#] ?([0-9A-Za-z.-]+)"),
    Kind(
        "[A-Za-z]{2,30} #?[0-9]{1,20}", "^([A-Za-z]+)", r"\b{} #?([0-9]+)(?:[^.0-9]|$)"
    ),  # no beginning of an address or a share
)


def suggest_sessions(lines: pl.DataFrame, *, most: int = 5) -> pl.DataFrame:
    r"""What might be a session's id here, best first: ``by``, an example, and what sessions it would make.

    Good are ids with many values, each on several lines of several kinds and for a part of the time only, that
    many lines name. ``score`` is the product of these shares: of lines that name one, of values on more than one
    kind of line, and of the time in which the usual value is *not* seen.

    >>> said = ["open job_1", "open job_2", "close job_1", "open job_3", "close job_2", "open job_4", "close job_3",
    ...         "open job_5", "close job_4", "close job_5"]
    >>> suggest_sessions(pl.DataFrame({"message": said})).select("by", "example", "sessions", "lines")
    shape: (1, 4)
    ┌────────────────────┬─────────┬──────────┬───────┐
    │ by                 ┆ example ┆ sessions ┆ lines │
    │ ---                ┆ ---     ┆ ---      ┆ ---   │
    │ str                ┆ str     ┆ u32      ┆ u32   │
    ╞════════════════════╪═════════╪══════════╪═══════╡
    │ \b(job_-?[0-9]\w*) ┆ job_1   ┆ 5        ┆ 10    │
    └────────────────────┴─────────┴──────────┴───────┘
    """
    if most < 1:
        raise InputError(f"most is {most}; give how many suggestions are wanted at most, 1 or more")
    head = check(lines, _MESSAGE, "lines").head(LOOKED_AT).with_row_index("_row")
    shaped = head.with_columns(_shape=shape(pl.col("message")))
    own = [name for name in lines.columns if name not in EVENTS and not isinstance(lines.schema[name], pl.List)]
    found = [_judge(shaped.select("_row", "_shape", value=pl.col(name).cast(pl.String)), name) for name in own]
    found += [_judge(_values(shaped, by), by) for kind in KINDS for by in _patterns(head, kind)]
    return (
        pl.concat([_judge(shaped.clear().select("_row", "_shape", value="message"), ""), *found])
        .filter(pl.col("sessions") >= FEWEST, pl.col("score") > 0)
        .sort("score", "lines", "by", descending=[True, True, False])
        .unique(["sessions", "lines", "median_length"], keep="first", maintain_order=True)
        .head(most)
    )


def _patterns(head: pl.DataFrame, kind: Kind) -> list[str]:
    """One pattern for each of the names that ids of this kind most often have."""
    texts = head["message"].str.extract_all(kind.text).explode().drop_nulls()
    names = texts.str.extract(kind.name, 1).value_counts(sort=True).head(NAMES)
    return [kind.by.replace("{}", name, 1) for name in sorted(names.to_series().drop_nulls())]


def _values(shaped: pl.DataFrame, by: str) -> pl.DataFrame:
    ids = pl.col("message").str.extract_all(by).list.eval(pl.element().str.extract(by, 1)).list.unique()
    return shaped.select("_row", "_shape", value=ids).explode("value", empty_as_null=True, keep_nulls=True)


def _judge(named: pl.DataFrame, by: str) -> pl.DataFrame:
    """One row: what sessions these values would make."""
    rows = max(named["_row"].n_unique(), 1)
    values = (
        named.drop_nulls("value")
        .group_by("value", maintain_order=True)
        .agg(
            pl.len().alias("length"),
            kinds=pl.col("_shape").n_unique(),
            span=pl.col("_row").max() - pl.col("_row").min(),
        )
    )
    several = (pl.col("length") > 1) & (pl.col("kinds") > 1)
    return values.select(
        by=pl.lit(by),
        example=pl.col("value").first(),
        sessions=pl.len().cast(pl.UInt32),
        lines=pl.lit(named.drop_nulls("value")["_row"].n_unique(), pl.UInt32),
        median_length=pl.col("length").median(),
        several=several.mean(),
        score=several.mean() * (1 - pl.col("span").median() / rows),
    ).with_columns(score=pl.col("score").fill_null(0) * pl.col("lines") / rows)
