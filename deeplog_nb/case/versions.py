"""The models of a case: folders that are written once, and a chain that says which of them is the current one."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplog_nb.disk import sync
from deeplog_nb.frames import InputError, ModelError

_DIGEST = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
_COLUMNS = "id, digest, files, before"


def place(folder: Path, digest: str, write: Callable[[Path], object]) -> Path:
    """The folder of this model: found there, or written whole or not at all."""
    if not _DIGEST.fullmatch(digest):
        raise InputError(f"{digest!r} does not name a model; a digest has letters, digits and ._- only, 128 at most")
    path = folder / digest
    if path.is_dir():
        return path
    try:
        _write_whole(path, write)
    except OSError as error:
        if not path.is_dir():  # or else another process was faster with the same model
            raise InputError(
                f"{path}: the model cannot be kept ({error}); make room or allow writing, then do it again"
            ) from error
    return path


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=path.parent, prefix=".part-"))
    try:
        write(part)
        for each in (*part.rglob("*"), part):
            sync(each)
        part.chmod(0o755)
        part.rename(path)
        sync(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def digest_of(path: Path) -> str:
    """SHA-256 of all files of a folder and of their names."""
    whole = hashlib.sha256()
    for each in sorted(path.rglob("*")):
        if each.is_file():
            name, content = each.relative_to(path).as_posix(), hashlib.sha256(each.read_bytes()).hexdigest()
            whole.update(f"{len(name)}:{name}:{content}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()


def files_of(connection: sqlite3.Connection, path: Path) -> str:
    """The digest of a model's files; a ModelError if the case had it before and it was something else."""
    known = _row(connection, f"SELECT {_COLUMNS} FROM models WHERE digest = ? LIMIT 1", path.name)
    if known:
        check_files(path.parent, path.name, known["files"])
    return digest_of(path)


def current(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The last row of the models: ``id, digest, files, before``."""
    return _row(connection, f"SELECT {_COLUMNS} FROM models ORDER BY id DESC LIMIT 1")


def earlier(connection: sqlite3.Connection) -> dict[str, Any]:
    """The row that the current one came after; rolled back to it, the one before that, and so on."""
    now = current(connection)
    found = now and _row(connection, f"SELECT {_COLUMNS} FROM models WHERE id = ?", now["before"])
    if not found:
        raise InputError("there is no earlier model to roll back to; models() shows what the case has had")
    return found


def check_files(folder: Path, digest: str, files: str) -> Path:
    """The folder of a model that is still what was written; a ModelError where it is not."""
    path = folder / digest
    if digest_of(path) != files:
        raise ModelError(f"{path}: changed, or in part removed, since it was kept; put a copy back in its place")
    return path


def _row(connection: sqlite3.Connection, question: str, *values: object) -> dict[str, Any] | None:
    found = connection.execute(question, values).fetchone()
    return found and dict(zip(_COLUMNS.split(", "), found, strict=True))
