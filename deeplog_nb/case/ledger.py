"""The SQLite file of a case: opened for each piece of work, one writer at a time, every failure told in words.

A connection lives as long as one transaction, so a ledger is safe in threads and across ``fork``, and nothing has to
be closed. Rollback journal and ``synchronous=FULL``: what was committed outlives a kill and a loss of power.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deeplog_nb.case.schema import APPLICATION, VERSION, statements
from deeplog_nb.frames import InputError

_SAFELY: Final = (
    *("journal_mode = DELETE", "synchronous = FULL", "foreign_keys = ON"),
    *("trusted_schema = OFF", "cell_size_check = ON"),
)
_ATTEMPT: Final = 0.2  # s that SQLite waits by itself: an interrupt is heard in between
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
                self._patiently(connection, "BEGIN IMMEDIATE")
                if not _is_ours(connection, self.path):  # another process may have been faster
                    for statement in statements():
                        connection.execute(statement)
                self._patiently(connection, "COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which everything read is of one moment."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            self._patiently(connection, "SELECT count(*) FROM sqlite_master")  # from here on nobody can be in the way
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection of the only writer; kept when the block ends well, and none of it when it does not."""
        with self._connected() as connection:
            self._patiently(connection, "BEGIN IMMEDIATE")
            yield connection
            self._patiently(connection, "COMMIT")  # whoever reads is waited for

    @contextmanager
    def _connected(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """Closing takes back whatever was not committed."""
        where = f"{self.path.as_uri()}?mode={'rwc' if create else 'rw'}"
        try:
            connection = sqlite3.connect(where, uri=True, timeout=_ATTEMPT, isolation_level=None)
            try:
                for setting in _SAFELY:
                    self._patiently(connection, f"PRAGMA {setting}")
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

    def _patiently(self, connection: sqlite3.Connection, statement: str) -> None:
        """Run it; while another process is in the way, again and again until patience is at its end."""
        end = time.monotonic() + self.patience
        while True:
            try:
                connection.execute(statement).fetchall()
                return
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                    raise

    def _told(self, error: sqlite3.Error) -> str:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return (
                f"locked: another process has kept it for {self.patience:g} s; wait until it is done or end it, "
                "then do it again (dl.Case(folder, patience=60) waits longer)"
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such table" in str(error):  # it was emptied
            return f"{_BROKEN} ({error})"
        return f"{_TOLD[code]} ({error})" if code in _TOLD else f"SQLite refused: {error}"


def folder_of(folder: Path | str) -> Path:
    """The folder of a case in full, made if it is not there yet."""
    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"a case is kept in a folder, and {folder!r} is no path; give one as a text or a pathlib.Path")
    where = Path(folder).resolve()
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{where}: no folder, and none can be made ({error}); name another") from error
    return where


def _code(error: sqlite3.Error) -> int:
    """What went wrong; a text that cannot be decoded has no code, and is a broken file."""
    unnamed = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    return getattr(error, "sqlite_errorcode", unnamed) & 0xFF  # higher bits only refine it


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
