"""The SQLite file of a case: opened for each piece of work, one writer at a time, every failure told in words.

A connection lives as long as one transaction, so a ledger is safe in threads and across ``fork``, and nothing has to
be closed. Rollback journal and ``synchronous=FULL``: what was committed outlives a kill and a loss of power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deeplog_nb.case.schema import APPLICATION, VERSION, statements
from deeplog_nb.frames import InputError

_SAFELY: Final = ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON")
_TOLD: Final = {
    sqlite3.SQLITE_READONLY: "cannot be written: it, its folder or the disk is read-only; allow writing, or copy the "
    "case folder to where you may write",
    sqlite3.SQLITE_FULL: "the disk or the quota is full, and nothing of this was kept; make room, then do it again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; see that the case folder is still there and that you may read and "
    "write in it",
    sqlite3.SQLITE_PERM: "may not be opened; see who may read and write the case folder",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it, and nothing of this was kept; see that there is room, "
    "no limit on the size of files, and that the disk is well, then do it again",
}
_BROKEN: Final = (
    "no case, or a broken one; put a copy back in its place, or begin a new case folder and merge your "
    "last export of its labels"
)


@dataclass(frozen=True)
class Ledger:
    """One file; ``patience`` is how many seconds to wait while another process has it."""

    path: Path
    patience: float = 10.0

    def prepare(self) -> None:
        """Make the file a case if there is none yet; refuse what is none, or of a newer version."""
        with self._connected(create=True) as connection:
            if not _is_ours(connection, self.path):
                connection.execute("BEGIN IMMEDIATE")
                if not _is_ours(connection, self.path):  # another process may have been faster
                    for statement in statements():
                        connection.execute(statement)
                connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which everything read is of one moment."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection of the only writer; kept when the block ends well, and none of it when it does not."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _connected(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """Closing takes back whatever was not committed."""
        where = f"{self.path.as_uri()}?mode={'rwc' if create else 'rw'}"
        try:
            connection = sqlite3.connect(where, uri=True, timeout=self.patience, isolation_level=None)
            try:
                for setting in _SAFELY:
                    connection.execute(f"PRAGMA {setting}")
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: {self._told(error)}") from error
        except UnicodeEncodeError as error:
            raise InputError(
                f"{ascii(error.object)[:80]} holds half a character (a surrogate), which no file can "
                "keep; write it otherwise"
            ) from error
        except OverflowError as error:
            raise InputError(f"{self.path}: keeps whole numbers below 2^63 only ({error})") from error

    def _told(self, error: sqlite3.Error) -> str:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # what refines it is in higher bits
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return (
                f"locked: another process has kept it for {self.patience:g} s; wait until it is done or end it, "
                "then do it again (dl.Case(folder, patience=60) waits longer)"
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return f"{_BROKEN} ({error})"
        return f"{_TOLD[code]} ({error})" if code in _TOLD else f"SQLite refused: {error}"


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether this is a case; false where it is nothing yet."""
    (application,), (version,), (tables,) = (
        connection.execute(question).fetchone()
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if application == version == tables == 0:
        return False
    if application != APPLICATION:
        raise InputError(f"{path}: the database of another program; name another folder for the case")
    if version > VERSION:
        raise InputError(
            f"{path}: written by a newer version (format {version}, this one knows {VERSION}); update deeplog_nb"
        )
    return True
