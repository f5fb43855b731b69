"""Which lines continue the record above them (stack traces), and the folding of them into it.

A record takes lines up to a limit of bytes; what would be more begins another, so that a log of
nothing but indented lines is still read in constant memory, and still whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

CONTINUES: Final = (  # at the margin; what is indented continues anyway
    r"^(?:Caused by:|[\w.$]+(?:Error|Exception|Exit|Interrupt)(?::|$)"
    r"|Traceback \(most recent call last\)|During handling of the above |The above exception was the direct cause"
    r"|panic: |fatal error: |goroutine [0-9]+ \[|created by \S+|[\w./-]+\.[\w.()*{}\[\]-]*\(.*\)$|\[signal "
    r"|exit status |Unhandled [Ee]xception[.:] |--- End of )"
)
NAMED: Final = r"^(?:(?:[A-Za-z_]\w*\.)+\w+|[A-Z]\w*[a-z][A-Z]\w*|Timeout)(?:: .*|:)?$"  # any class may be raised
BLANKS: Final = 3  # so many blank lines may stand between a record and its stack trace

RECORD, MARGIN, INDENTED, NAME, BLANK, PART, NEXT_PART = range(7)
CONTINUING: Final = (MARGIN, INDENTED, NEXT_PART)
"""What a line looks like: a record; a continuation at the margin or indented; one if it stands under an indented
one; one if continuations are around it; a record, or a continuation, that goes on in the next line."""


@dataclass(frozen=True)
class Above:
    """What stands above the lines at hand: whether any record does, and how much of the last one is gone already."""

    begun: bool = False
    bytes: int = 0  # of the record that the first line continues, in pieces before it


def kinds(texts: pl.Series, own: str | None = None) -> pl.Series:
    """What lines look like that are no records by themselves; by a layout's ``own`` pattern of continuations.

    >>> kinds(pl.Series(["  at a.b", "Caused by: c", "", "it ran"])).to_list()
    [2, 1, 4, 0]
    """
    text = pl.col(texts.name)
    if own:
        looks = [(text.str.contains(own), MARGIN)]
    else:
        looks = [(text.str.contains(r"^\s+\S"), INDENTED), (text.str.contains(CONTINUES), MARGIN)]
        looks += [(text.str.contains(NAMED), NAME)]
    cases = [
        pl.when(fits).then(pl.lit(kind, pl.UInt8)) for fits, kind in [*looks, (text.str.contains(r"^\s*$"), BLANK)]
    ]
    return texts.to_frame().select(pl.coalesce(*cases, pl.lit(RECORD, pl.UInt8)).alias("continues")).to_series()


def settled(kind: pl.Series) -> pl.Series:
    """The kinds as their neighbours make them: names and blank lines that continue are said to.

    >>> settled(pl.Series([RECORD, BLANK, INDENTED, NAME, NAME, BLANK])).to_list()
    [0, 1, 2, 1, 0, 4]
    """
    lines = pl.DataFrame({"kind": kind})
    here, above = pl.col("kind"), pl.col("kind").shift(1, fill_value=RECORD)
    named = pl.when(here == NAME).then(pl.when(above == INDENTED).then(MARGIN).otherwise(RECORD)).otherwise(here)
    parted = pl.when(above >= PART).then(pl.when(here >= PART).then(NEXT_PART).otherwise(MARGIN)).otherwise(named)
    continues = pl.when(here != BLANK).then(here.is_in(CONTINUING))
    around = continues.forward_fill().fill_null(False) | continues.backward_fill(limit=BLANKS).fill_null(False)
    blanks = pl.when((here == BLANK) & around).then(MARGIN).otherwise(here)
    return lines.select(parted.cast(pl.UInt8).alias("kind")).select(blanks.cast(pl.UInt8)).to_series()


def mark(lines: pl.DataFrame, above: Above, limit: int) -> pl.DataFrame:
    """The lines with ``start`` (a record begins here) and ``within`` (bytes of the record up to this line's end).

    Needs ``continues`` (see ``kinds``) and ``length``. A continuation of nothing is a record of its own.
    """
    if not (lines["continues"] > RECORD).any():
        return lines.with_columns(start=pl.lit(True), within="length")
    lines = lines.with_columns(settled(lines["continues"]).alias("continues"))
    is_one = pl.col("continues").is_in(CONTINUING)
    continues = is_one & (above.begun | (~is_one).cum_max())
    within = pl.col("length").cum_sum().over("_record") + pl.when(pl.col("_record") == 0).then(above.bytes).otherwise(0)
    piece = (pl.col("within").cast(pl.Int64) - 1) // limit
    return (
        lines.with_columns(_record=(~continues).cum_sum(), _continues=continues)
        .with_columns(within=within)
        .with_columns(_piece=piece)
        .with_columns(
            start=~pl.col("_continues") | (pl.col("_piece") != pl.col("_piece").shift(1)).fill_null(True),
            cut=pl.col("cut") | (pl.col("_continues") & (pl.col("_piece") > 0)),
        )
        .drop("_record", "_continues", "_piece")
    )


def split_last(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, Above]:
    """The records that are complete, the last one, which lines to come may continue, and what is above it.

    Blank lines at the end wait with the record above them: a stack trace may follow.
    """
    waiting = int((lines["continues"].tail(BLANKS).reverse() == BLANK).cum_min().sum())
    at = lines.head(-waiting if waiting else len(lines)).select(pl.col("start").arg_true().last()).item() or 0
    held = lines[at:]
    continues = held["continues"][0] in CONTINUING
    gone = int(held["within"][0] - held["length"][0]) if continues else 0
    begun = gone > 0 or (not continues and waiting < len(lines))  # else what follows continues nothing
    return lines[:at], held.drop("start", "within"), Above(begun=begun, bytes=gone)


def fold(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a record, its lines joined; ``physical`` says how many they were."""
    if lines["start"].all():
        return lines.drop("start", "within").with_columns(physical=pl.lit(1, pl.UInt32))
    summed = {"message", "length", "recoded", "cut", "damaged", "lone_cr", "start", "within"}
    goes_on = pl.col("start") | (pl.col("continues").shift(1) >= PART)
    return (
        lines.with_columns(message=pl.when(goes_on).then("message").otherwise("\n" + pl.col("message")))
        .group_by(pl.col("start").cum_sum().alias("_record"), maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in lines.columns if name not in summed),
            pl.col("message").str.join(""),
            pl.col("length").sum(),
            pl.col("recoded", "cut", "damaged", "lone_cr").any(),
            pl.len().cast(pl.UInt32).alias("physical"),
        )
        .drop("_record")
    )
