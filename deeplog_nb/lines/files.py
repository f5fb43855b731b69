"""Paths -> sources: which files, and which members of archives, the user's words name.

It looks at names and folders; what stands in a source is ``archives``' and ``blocks``' matter.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deeplog_nb.frames import InputError
from deeplog_nb.lines.streams import not_a_file

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Source:
    """One text to read: a file, or a member of an archive; or an archive and which of its members are meant."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)


def find_files(paths: Paths) -> list[Source]:
    """The files that paths, globs and folders name, each once, in the order given; folders by name.

    ``logs.zip!*.log`` names members of an archive, which ``archives`` looks up.

    >>> find_files("no/such/file.log")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: no/such/file.log: no such file, folder or glob
    """
    named = _named(paths)
    if not named:
        raise InputError("no files were named; give a path, a glob such as 'logs/*.gz', or a folder")
    return list(dict.fromkeys(source for path in named for source in _sources(str(path))))


def _named(paths: Paths) -> list[str | Path]:
    named = [paths] if isinstance(paths, str | Path) else list(paths) if isinstance(paths, Iterable) else [paths]
    for path in named:
        if not isinstance(path, str | Path) or path == "":
            raise InputError(f"{path!r}: names no file; give a path, a glob such as 'logs/*.gz', a folder, or a list")
    return named


def _sources(path: str) -> list[Source]:
    try:
        found = _expand(path)
        outside, _, member = path.partition("!")
        if not found and member:
            return [Source(file, member) for file in _expand(outside) or _refuse(outside)]
    except (OSError, ValueError) as error:  # a name that is too long or holds NUL, a folder that may not be entered
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path[:200]!r}: cannot be looked up ({why}); give another path") from error
    return [Source(file) for file in found or _refuse(path)]


def _expand(path: str) -> list[Path]:
    if Path(path).is_dir():
        return _in_folder(Path(path))
    if Path(path).is_file():
        return [Path(path)]
    return sorted(each for each in _glob(path) if each.is_file())


def _glob(pattern: str) -> list[Path]:
    """What a glob names; ``**`` does not follow links, which may lead round in circles."""
    if "**" not in pattern:
        return [Path(each) for each in glob.glob(pattern)]
    parts = Path(pattern).parts
    fixed = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:fixed])
    found = base.glob(str(Path(*parts[fixed:])))
    return [each for each in found if not any(part.startswith(".") for part in each.relative_to(base).parts)]


def _refuse(path: str) -> list[Path]:
    file = Path(path)
    if file.exists() and (what := not_a_file(file.stat().st_mode)):
        raise InputError(f"{path}: {what}, not a file; write its text to a file and read that")
    if file.is_symlink():
        raise InputError(f"{path}: a link that leads to no file; name the file itself")
    raise InputError(f"{path}: no such file, folder or glob")


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    if not found:
        raise InputError(f"{folder}: a folder without files; name the folder that holds the logs")
    return found
