"""The tables of a case: four chains of rows that are only ever added, and what a tail goes on with.

A chain is a table whose rows carry the hash of the row before; triggers forbid to change, delete or replace one.
The tail's tables (its position in each source, the states of its streams) hold the latest only.
"""

from __future__ import annotations

from typing import Final

from deeplog_nb.frames import RULES

APPLICATION: Final = 0x444C4E42  # "DLNB", in the header of the file
VERSION: Final = 1

CHAINS: Final = {
    "labels": (
        *("at", "who", "session", "position", "file", "line", "pattern", "verdict"),
        *("note", "until", "keys", "model", "policy", "undo_of"),
    ),
    "notes": ("at", "who", "text", "session"),
    "pins": ("at", "who", "title", "kind", "content"),
    "models": ("at", "who", "digest", "files", "why", "before"),
}
"""What the rows of each chain say, beside their id and the two hashes."""

NUMBERS: Final = ("position", "line", "undo_of", "before")
"""Columns of them that are whole numbers; the others are texts."""

_TABLES: Final = (
    """CREATE TABLE labels (id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, session TEXT,
        position INTEGER, file TEXT, line INTEGER, pattern TEXT, verdict TEXT, note TEXT NOT NULL, until TEXT,
        keys TEXT, model TEXT NOT NULL, policy TEXT NOT NULL, undo_of INTEGER REFERENCES labels (id),
        previous_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,
        session TEXT, previous_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE pins (id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, title TEXT NOT NULL,
        kind TEXT NOT NULL, content TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE models (id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, digest TEXT NOT NULL,
        files TEXT NOT NULL, why TEXT NOT NULL, before INTEGER REFERENCES models (id),
        previous_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
    "CREATE TABLE heads (chain TEXT PRIMARY KEY, count INTEGER NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position TEXT)",
    f"""CREATE TABLE verdicts (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources (id),
        generation INTEGER NOT NULL, offset INTEGER, line INTEGER, session TEXT, position INTEGER, key INTEGER,
        count INTEGER, open INTEGER, rank INTEGER, probability REAL, {", ".join(f'"{rule}" INTEGER' for rule in RULES)},
        anomalous INTEGER, score REAL, why TEXT, pattern TEXT, time INTEGER, message TEXT)""",
    """CREATE UNIQUE INDEX once ON verdicts (source, generation, offset, coalesce(session, ''), (key IS NULL))
        WHERE offset IS NOT NULL""",
    "CREATE INDEX alarms ON verdicts (id) WHERE anomalous",
    "CREATE TABLE gaps (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources (id), at TEXT, what TEXT)",
    """CREATE TABLE stream_state (source INTEGER NOT NULL REFERENCES sources (id), name TEXT NOT NULL,
        state TEXT NOT NULL, PRIMARY KEY (source, name)) WITHOUT ROWID""",
)


def statements() -> list[str]:
    """What makes an empty database a case."""
    guards = [statement for chain in CHAINS for statement in _guards(chain)]
    heads = [f"INSERT INTO heads VALUES ('{chain}', 0, '')" for chain in CHAINS]
    return [*_TABLES, *guards, *heads, f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION}"]


def _guards(chain: str) -> list[str]:
    """Triggers; the one on INSERT is there for INSERT OR REPLACE, which fires no trigger on DELETE."""
    refusal = f"SELECT RAISE(ABORT, 'rows of {chain} are only ever added, one after the other')"
    events = {
        "UPDATE": "",
        "DELETE": "",
        "INSERT": f"WHEN NEW.id <> 1 + (SELECT coalesce(max(id), 0) FROM {chain})",
    }
    return [
        f"CREATE TRIGGER {chain}_no_{event.lower()} BEFORE {event} ON {chain} {when} BEGIN {refusal}; END"
        for event, when in events.items()
    ]
