"""Labels: which rows of VERDICTS an answer is about, what proves it, and which answers are in effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import polars as pl

from deeplog_nb.case.signature import ISO
from deeplog_nb.frames import ANSWERS, LABELS, VERDICTS, InputError, check

LONG: Final = 10_000  # entries above which a session is no evidence as a whole
NEAR: Final = 1_000  # of such a session: the entries up to and including the row
STORED: Final = {name: pl.String() if name in ("at", "verdict", "until", "keys") else LABELS[name] for name in LABELS}
"""LABELS as the ledger and its exports have them: times as ISO text, keys as the text of a JSON list."""

_PLACE: Final = {"file": pl.String(), "line": pl.UInt64(), "pattern": pl.String()}


def answered(verdicts: pl.DataFrame, session: str | None, position: int | None, pattern: str | None) -> pl.DataFrame:
    """``session, position, file, line, pattern, keys`` of the alarms that are meant, in the order of the verdicts.

    Of a session that raised no alarm at all, if it is named: one row, for the whole of it.
    """
    if pattern is not None and "pattern" not in verdicts.columns:
        raise InputError("these verdicts do not say their pattern; judge the lines again, or name session and position")
    rows = check(verdicts, VERDICTS, "verdicts").pipe(_placed)
    named = {"session": session, "position": position, "pattern": pattern}
    picked = rows.filter("anomalous", *[pl.col(name) == value for name, value in named.items() if value is not None])
    if picked.is_empty():
        picked = _missed(rows, named)
    return picked.pipe(_with_evidence, rows).select("session", "position", *_PLACE, "keys")


def check_answer(verdict: str, until: datetime | None, now: datetime) -> None:
    """Refuse an answer that is none, or that has expired before it is given."""
    if verdict not in ANSWERS:
        raise InputError(f"verdict is {verdict!r}; it is one of {', '.join(map(repr, ANSWERS))}")
    if until is not None and until <= now:
        raise InputError(f"until is {until} UTC, which is past; name a later time, or none for an answer that stays")


def undone(rows: Iterable[tuple[int, int | None]]) -> set[int]:
    """Of (id, undo_of) pairs, the rows that are taken back: by a row that is not taken back itself.

    >>> undone([(1, None), (2, 1), (3, None), (4, 3), (5, 4)])  # 5 takes back 4, which brings back 3
    {1, 4}
    """
    out: set[int] = set()
    for row, target in sorted(rows, reverse=True):  # who takes back comes after what is taken back
        if target is not None and row not in out:
            out.add(target)
    return out


def in_effect(labels: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The answers that are neither undone nor expired."""
    gone = list(undone(labels.select("id", "undo_of").rows()))
    lasting = pl.col("until").is_null() | (pl.col("until") > now)
    return labels.filter(pl.col("verdict").is_not_null(), lasting, ~pl.col("id").is_in(gone))


def as_labels(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """LABELS of stored rows."""
    stored = pl.DataFrame(list(rows), schema=STORED)
    return check(
        stored.with_columns(
            pl.col("at", "until").str.to_datetime(ISO, time_unit="us"),
            pl.col("verdict").cast(LABELS["verdict"]),
            pl.col("keys").str.json_decode(LABELS["keys"]),
        ),
        LABELS,
        "labels",
    )


def _placed(verdicts: pl.DataFrame) -> pl.DataFrame:
    """With file, line and pattern, null where the verdicts do not have them."""
    return verdicts.with_columns(
        pl.col(name).cast(kind) if name in verdicts.columns else pl.lit(None, kind).alias(name)
        for name, kind in _PLACE.items()
    ).with_row_index("_row")


def _missed(rows: pl.DataFrame, named: dict[str, Any]) -> pl.DataFrame:
    session = named["session"]
    of_it = rows.filter(pl.col("session") == pl.lit(session, pl.String)).sort("position", maintain_order=True)
    alarms = of_it.filter("anomalous")["position"].to_list()
    if of_it.is_empty() or alarms or named["position"] is not None or named["pattern"] is not None:
        asked = ", ".join(f"{name} {value!r}" for name, value in named.items() if value is not None)
        at = f"; session {session!r} has them at position {', '.join(map(str, alarms[:5]))}" if alarms else ""
        raise InputError(
            f"no alarm{f' of {asked}' * bool(asked)} in these verdicts{at}; name what alarms() or patterns() show, "
            "or a session alone, to say that nothing was flagged in it"
        )
    return of_it.head(1).with_columns(position=pl.lit(None, pl.UInt32), pattern=pl.lit(None, pl.String), _whole=True)


def _with_evidence(picked: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """With ``keys``: those of the row's session; of a line that is in none, its own."""
    is_entry = pl.col("key").is_not_null()
    near = (
        rows.lazy()
        .filter(pl.col("session").is_in(picked["session"].unique().implode()))
        .sort("position", maintain_order=True)
        .with_columns(_until=is_entry.cum_sum().over("session"))
        .collect()
    )
    sessions = near.filter(is_entry).group_by("session").agg(_keys="key")
    last = pl.col("_until") if "_whole" not in picked.columns else pl.col("_keys").list.len()
    own = pl.when(is_entry).then(pl.concat_list("key")).otherwise(pl.lit([], pl.List(pl.UInt32)))
    part = pl.col("_keys").list.slice((last.cast(pl.Int64) - NEAR).clip(0), pl.min_horizontal(last, NEAR))
    keys = pl.when(pl.col("_keys").list.len() > LONG).then(part).otherwise("_keys")
    return (
        picked.join(near.select("_row", "_until"), on="_row", how="left")
        .join(sessions, on="session", how="left")
        .sort("_row")
        .with_columns(keys=pl.when(pl.col("session").is_null()).then(own).otherwise(keys.fill_null([])))
        .with_columns(keys=pl.format("[{}]", pl.col("keys").cast(pl.List(pl.String)).list.join(",")))
    )
