"""Which lines continue the record above them (stack traces), and the folding of them into it.

A record takes lines up to a limit of bytes; what would be more begins another, so that a log of
nothing but indented lines is still read in constant memory, and still whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

CONTINUES: Final = (
    r"^(?:\s+\S|Caused by:|Traceback \(most recent call last\)|[\w.]+(?:Error|Exception|Exit|Interrupt)(?::|$))"
)


@dataclass(frozen=True)
class Above:
    """What stands above the lines at hand: whether any record does, and how much of the last one is gone already."""

    begun: bool = False
    bytes: int = 0  # of the record that the first line continues, in pieces before it


def mark(lines: pl.DataFrame, above: Above, limit: int) -> pl.DataFrame:
    """The lines with ``start`` (a record begins here) and ``within`` (bytes of the record up to this line's end).

    Needs ``continues`` and ``length``. A continuation of nothing is a record of its own.
    """
    if not lines["continues"].any():
        return lines.with_columns(start=pl.lit(True), within="length")
    continues = pl.col("continues") & (above.begun | (~pl.col("continues")).cum_max())
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
    """The records that are complete, the last one, which lines to come may continue, and what is above it."""
    at = lines.select(pl.col("start").arg_true().last()).item()
    held = lines[at:]
    gone = int(held["within"][0] - held["length"][0]) if held["continues"][0] else 0
    begun = gone > 0 or not held["continues"][0]  # else it continues nothing, and what follows does not continue it
    return lines[:at], held.drop("start", "within"), Above(begun=begun, bytes=gone)


def fold(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a record, its lines joined; ``physical`` says how many they were."""
    if lines["start"].all():
        return lines.drop("start", "within").with_columns(physical=pl.lit(1, pl.UInt32))
    summed = {"message", "length", "recoded", "cut", "damaged", "start", "within"}
    return (
        lines.group_by(pl.col("start").cum_sum().alias("_record"), maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in lines.columns if name not in summed),
            pl.col("message").str.join("\n"),
            pl.col("length").sum(),
            pl.col("recoded", "cut", "damaged").any(),
            pl.len().cast(pl.UInt32).alias("physical"),
        )
        .drop("_record")
    )
