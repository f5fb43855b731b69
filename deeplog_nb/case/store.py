"""What a tail keeps: verdicts, its position in each source and its streams' states, all of a step or none of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from deeplog_nb.case.signature import ISO
from deeplog_nb.frames import RULES, TIME, VERDICTS, InputError, check

CLIP: Final = 500  # characters of a message that are kept
NEEDED: Final = VERDICTS | {"offset": pl.UInt64()}
_MORE: Final = {
    "generation": pl.UInt32(),  # 0, 1, … of the files that had this name one after the other
    "offset": pl.UInt64(),  # byte of the record; of an end row, that of the session's last record
    "line": pl.UInt64(),
    "time": TIME,
    "pattern": pl.String(),
    "message": pl.String(),
}
KEPT: Final = {"source": pl.String()} | VERDICTS | _MORE | {"file": pl.Categorical()}
_COLUMNS: Final = (*VERDICTS, *_MORE)
_NUMBERS: Final = dict.fromkeys([*RULES, "anomalous", "open", "time"], pl.Int64()) | dict.fromkeys(
    ["probability", "score"], pl.Float64()
)


class Totals(NamedTuple):
    """How much a tail has committed."""

    records: int = 0
    alarms: int = 0
    gaps: int = 0


def with_places(verdicts: pl.DataFrame, lines: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The verdicts with byte and text of their records, and the generation, which the file's name tells.

    An end row has neither: its session's last record may have come with an earlier step.
    """
    at = ["file", "line"]
    places = verdicts.join(lines.select(*at, "offset", "message"), on=at, how="left", maintain_order="left")
    number = pl.col("file").cast(pl.String).str.slice(len(str(path)) + 1).cast(pl.UInt32, strict=False)
    own = (pl.when(pl.col("key").is_not_null()).then(name).alias(name) for name in ("offset", "message"))
    return places.with_columns(*own, generation=number.fill_null(1))


def record(connection: sqlite3.Connection, source: int, verdicts: pl.DataFrame) -> None:
    """Add the rows; one that is there already is an InputError, and nothing of the step is kept."""
    absent = {"generation": pl.lit(0, pl.UInt32)}
    filled = check(verdicts, NEEDED, "verdicts").with_columns(
        absent.get(name, pl.lit(None, kind)).alias(name) for name, kind in _MORE.items() if name not in verdicts.columns
    )
    rows = filled.select(pl.lit(source), *_COLUMNS[: len(VERDICTS)], *[_stored(name) for name in _MORE]).rows()
    names = ", ".join(f'"{name}"' for name in ("source", *_COLUMNS))
    try:
        connection.executemany(f"INSERT INTO verdicts ({names}) VALUES ({', '.join('?' * (1 + len(_COLUMNS)))})", rows)
    except sqlite3.IntegrityError as error:
        raise InputError(
            "a record of this step is in the case already, so nothing of the step was kept; another tail, "
            "perhaps of another kernel, follows this log into the same case: stop one of the two, and go on"
        ) from error


def _stored(name: str) -> pl.Expr:
    column = pl.col(name)
    return {"time": column.cast(pl.Int64), "message": column.str.slice(0, CLIP)}.get(name, column)


def recorded(
    connection: sqlite3.Connection, source: str | None, anomalous: bool | None, last: int | None
) -> pl.DataFrame:
    """VERDICTS as they were added, with source, generation, offset, line, time, pattern and message."""
    columns = ", ".join(f'verdicts."{name}"' for name in _COLUMNS)
    tests = {None: "", True: "AND anomalous", False: "AND NOT anomalous"}
    found = connection.execute(
        f"SELECT name, {columns} FROM verdicts JOIN sources ON sources.id = source "
        f"WHERE (?1 IS NULL OR name = ?1) {tests[anomalous]} ORDER BY verdicts.id DESC LIMIT ?2",
        (source, -1 if last is None else last),
    ).fetchall()
    kinds = {"source": pl.String(), **{name: _NUMBERS.get(name, KEPT[name]) for name in _COLUMNS}}
    rows = pl.DataFrame(found, schema=kinds, orient="row").reverse()
    return rows.with_columns(file="source").select(pl.col(name).cast(kind) for name, kind in KEPT.items())


def totals(connection: sqlite3.Connection, source: str) -> Totals:
    """What is there of this source; a record of several sessions is one, and an end is none."""
    records = "SELECT DISTINCT generation, offset FROM verdicts WHERE source = ?1 AND offset IS NOT NULL"
    alarms, gaps = "SELECT count(*) FROM verdicts WHERE source = ?1 AND anomalous", "FROM gaps WHERE source = ?1"
    found = connection.execute("SELECT id FROM sources WHERE name = ?", (source,)).fetchone()
    asked = f"SELECT (SELECT count(*) FROM ({records})), ({alarms}), (SELECT count(*) {gaps})"
    return Totals(*connection.execute(asked, found).fetchone()) if found else Totals()


def source_id(connection: sqlite3.Connection, source: str) -> int:
    """The number of this source, a new one if it was never heard of."""
    connection.execute("INSERT INTO sources (name) VALUES (?) ON CONFLICT DO NOTHING", (source,))
    found: int = connection.execute("SELECT id FROM sources WHERE name = ?", (source,)).fetchone()[0]
    return found


def move(
    connection: sqlite3.Connection, source: int, position: str, changed: Mapping[str, str], gone: Iterable[str]
) -> None:
    """The source's new position, and the states that are new, other or over."""
    for name, text in {"position": position, **changed}.items():
        if not isinstance(text, str):
            raise InputError(f"{name!r} is a {type(text).__name__}; positions and states are texts (json.dumps)")
    connection.execute("UPDATE sources SET position = ? WHERE id = ?", (position, source))
    connection.executemany(
        "INSERT INTO stream_state VALUES (?, ?, ?) ON CONFLICT (source, name) DO UPDATE SET state = excluded.state",
        [(source, name, state) for name, state in changed.items()],
    )
    connection.executemany("DELETE FROM stream_state WHERE source = ? AND name = ?", [(source, name) for name in gone])


def position(connection: sqlite3.Connection, source: str) -> str | None:
    """Where the source's tail goes on; null where it has not begun."""
    found: tuple[str] | None = connection.execute("SELECT position FROM sources WHERE name = ?", (source,)).fetchone()
    return found and found[0]


def states(connection: sqlite3.Connection, source: str) -> dict[str, str]:
    """The states of the source's streams, by name."""
    return dict(
        connection.execute(
            "SELECT stream_state.name, state FROM stream_state JOIN sources ON sources.id = source "
            "WHERE sources.name = ? ORDER BY 1",
            (source,),
        ).fetchall()
    )


def add_gaps(connection: sqlite3.Connection, source: int, gaps: Iterable[tuple[str, str]]) -> None:
    """Add (at, what) pairs."""
    connection.executemany("INSERT INTO gaps (source, at, what) VALUES (?, ?, ?)", [(source, *gap) for gap in gaps])


def gaps(connection: sqlite3.Connection, source: str | None) -> pl.DataFrame:
    """``source, at, what``, as they were added."""
    found = connection.execute(
        "SELECT name, at, what FROM gaps JOIN sources ON sources.id = source "
        "WHERE ?1 IS NULL OR name = ?1 ORDER BY gaps.id",
        (source,),
    ).fetchall()
    rows = pl.DataFrame(found, schema=dict.fromkeys(("source", "at", "what"), pl.String()), orient="row")
    return rows.with_columns(pl.col("at").str.to_datetime(ISO, time_unit="us"))
