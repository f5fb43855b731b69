"""Paths -> sources: which files, and which members of archives, the user's words name.

It looks at names and folders; what stands in a source is ``blocks``' matter.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deeplog_nb.frames import InputError

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Source:
    """One text to read: a file, or a member of an archive."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)


def find_files(paths: Paths) -> list[Source]:
    """The files that paths, globs and folders name, each once, in the order given; folders by name.

    >>> find_files("no/such/file.log")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: no/such/file.log: no such file, folder or glob
    """
    named = [paths] if isinstance(paths, str | Path) else list(paths)
    if not named:
        raise InputError("no files were named; give a path, a glob such as 'logs/*.gz', or a folder")
    return [Source(file) for file in dict.fromkeys(file for path in named for file in _expand(str(path)))]


def _expand(path: str) -> list[Path]:
    try:
        if Path(path).is_dir():
            return _in_folder(Path(path))
        if Path(path).is_file():
            return [Path(path)]
        matches = [Path(each) for each in sorted(glob.glob(path, recursive=True)) if Path(each).is_file()]
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(f"{path[:200]}: cannot be looked up ({error.strerror}); give another path") from error
    if not matches:
        raise InputError(f"{path}: no such file, folder or glob")
    return matches


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    if not found:
        raise InputError(f"{folder}: a folder without files; name the folder that holds the logs")
    return found
