"""Rows that are only ever added, each with the hash of the one before: what was changed since is found out.

The hash says that nothing was changed by somebody who did not also make every later hash anew. Who may write the
file can do that; a head that was kept elsewhere (in a notebook's output, in a mail) tells it all the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deeplog_nb.case.schema import CHAINS, NUMBERS
from deeplog_nb.frames import InputError, ModelError

Row = Mapping[str, Any]  # by column: text, whole number or null, as it is stored


def append(connection: sqlite3.Connection, chain: str, rows: Iterable[Row]) -> list[int]:
    """Add the rows, each with its id and hashes; the new ids. A chain whose end is missing takes no more."""
    count, previous = head(connection, chain)
    if (count, previous) != _end(connection, chain):
        raise ModelError(f"{chain}: its last rows were removed or changed; verify() says which, nothing was added")
    linked = list(link(rows, CHAINS[chain], count, previous))
    if linked:
        columns = (*CHAINS[chain], "id", "previous_hash", "hash")
        marks = ", ".join(f":{name}" for name in columns)
        connection.executemany(f"INSERT INTO {chain} ({', '.join(columns)}) VALUES ({marks})", linked)
        last = linked[-1]
        connection.execute("UPDATE heads SET count = ?, hash = ? WHERE chain = ?", (last["id"], last["hash"], chain))
    return [row["id"] for row in linked]


def link(rows: Iterable[Row], columns: Iterable[str], count: int, previous: str) -> Iterator[dict[str, Any]]:
    """The rows with ``id``, ``previous_hash`` and ``hash``, after the ``count`` rows that there are."""
    for number, row in enumerate(rows, count + 1):
        body = {name: _storable(name, row[name]) for name in columns} | {"id": number}
        digest = hashed(previous, body)
        yield body | {"previous_hash": previous, "hash": digest}
        previous = digest


def _storable(name: str, value: Any) -> Any:
    """The value, if the database gives back the very same; a number among texts would come back as a text."""
    wanted = int if name in NUMBERS else str
    if value is not None and type(value) is not wanted:
        raise InputError(f"{name} is {value!r}, a {type(value).__name__}; a {wanted.__name__} is wanted")
    return value


def hashed(previous: str, body: Row) -> str:
    """SHA-256 of the hash before and the row as canonical JSON."""
    return hashlib.sha256((previous + canonical(body)).encode()).hexdigest()


def canonical(body: Row) -> str:
    """One text for one row: sorted names, no blanks, ASCII."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def verify_all(connection: sqlite3.Connection, known: str = "") -> str:
    """The heads of all chains in one line; ``known`` is such a line from earlier, and must be in them still."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # what no hash of ours matches
    before = _parsed(known)
    return " ".join(f"{chain}={verify(connection, chain, *before.get(chain, (0, '')))}" for chain in CHAINS)


def _parsed(heads: str) -> dict[str, tuple[int, str]]:
    found = re.findall(r"(\w+)=(\d+):([0-9a-f]*)", heads)
    if " ".join(f"{chain}={count}:{digest}" for chain, count, digest in found) != heads:
        raise InputError(f"{heads!r} is no head of a case; give a line that verify() returned")
    return {chain: (int(count), digest) for chain, count, digest in found}


def verify(connection: sqlite3.Connection, chain: str, length: int = 0, digest: str = "") -> str:
    """The chain's head as text; a ModelError names the first row that is not as it was written.

    After ``length`` rows the hash must be ``digest``: the head that somebody kept.
    """
    count, previous = 0, ""
    for row in rows_of(connection, chain):
        problem = problem_of(row, count, previous)
        if problem:
            raise ModelError(f"{chain}: {problem}")
        count, previous = row["id"], row["hash"]
        if count == length and previous != digest:
            raise ModelError(f"{chain}: rows up to {length} are others than when the head was kept: all was made anew")
    noted, kept = head(connection, chain)
    noted = max(noted, length)
    if count < noted:
        raise ModelError(f"{chain}: row {count + 1} was left out, and all after it: {noted} were written")
    if (count, previous) != (noted, kept):
        raise ModelError(f"{chain}: row {min(count, noted + 1)} was changed or added past the ledger")
    return f"{count}:{previous}"


def problem_of(row: Row, count: int, previous: str) -> str:
    """What is wrong with the row that follows ``count`` good ones; empty where nothing is."""
    body = {name: value for name, value in row.items() if name not in ("previous_hash", "hash")}
    if row["id"] != count + 1:
        return f"row {count + 1} was left out or moved: row {row['id']} stands in its place"
    try:
        if hashed(previous, body) == row["hash"] and row["previous_hash"] == previous:
            return ""
    except (TypeError, ValueError):  # a value of a type that we never write
        pass
    return f"row {row['id']} was changed or moved: it does not match its hash"


def rows_of(connection: sqlite3.Connection, chain: str, after: int = 0) -> Iterator[dict[str, Any]]:
    """The rows as they are stored, by id."""
    columns = ("id", *CHAINS[chain], "previous_hash", "hash")
    found = connection.execute(f"SELECT {', '.join(columns)} FROM {chain} WHERE id > ? ORDER BY id", (after,))
    return (dict(zip(columns, values, strict=True)) for values in found)


def head(connection: sqlite3.Connection, chain: str) -> tuple[int, str]:
    """How many rows were written, and the last one's hash, as noted beside the chain."""
    found: tuple[int, str] | None = connection.execute(
        "SELECT count, hash FROM heads WHERE chain = ?", (chain,)
    ).fetchone()
    if found is None:
        raise ModelError(f"{chain}: the note of its last row was removed; nobody can say whether rows are missing")
    return found


def _end(connection: sqlite3.Connection, chain: str) -> tuple[int, str]:
    last = connection.execute(f"SELECT id, hash FROM {chain} ORDER BY id DESC LIMIT 1").fetchone()
    return last or (0, "")
