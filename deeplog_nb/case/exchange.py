"""Labels as JSON Lines: handed to another case, where merging the same file twice adds nothing.

A file is a header, then the rows of the chain with their hashes. What is merged gets new ids and hashes in the chain
that it comes into; who said what of which row, and when, stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from deeplog_nb.case.chain import Row, canonical, problem_of
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.case.standing import thing
from deeplog_nb.disk import replacing
from deeplog_nb.frames import ANSWERS, InputError

KIND: Final = "deeplog_nb labels"
FORMAT: Final = 1
COLUMNS: Final = ("id", *CHAINS["labels"], "previous_hash", "hash")
_ALWAYS: Final = ("id", "at", "who", "note", "model", "policy", "previous_hash", "hash")  # never null
_SAID: Final = tuple(name for name in CHAINS["labels"] if name != "undo_of")
_BELOW: Final = {"id": 2**32, "position": 2**32, "line": 2**63, "undo_of": 2**32}


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write header and rows; whoever looks sees the old file or the new one."""
    rows = list(rows)
    header = {"kind": KIND, "format": FORMAT, "rows": len(rows), "hash": rows[-1]["hash"] if rows else ""}
    try:
        with replacing(path) as part:
            part.write_text("".join(f"{canonical(row)}\n" for row in (header, *rows)), "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error}); name another file, or make room") from error


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of an export whose chain is whole; an InputError names the first line that is broken."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); name a file that export() wrote") from error
    header = _parsed(path, 1, lines[0])
    if header.get("kind") != KIND or header.get("format") != FORMAT:
        raise InputError(f"{path}: line 1 is no header of exported labels of this version; name what export() wrote")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines[1:-1], 2):
        row = _parsed(path, number, line)
        problem = _ill_formed(row) or problem_of(row, len(rows), rows[-1]["hash"] if rows else "") or _astray(row, rows)
        if problem:
            raise _broken(path, number, problem)
        rows.append(row)
    if lines[-1] or len(rows) != header.get("rows") or (rows[-1]["hash"] if rows else "") != header.get("hash"):
        raise _broken(path, len(lines), f"the file ends here, and {header.get('rows')} rows were written")
    return rows


def lacking(own: Sequence[Row], others: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Of the others' rows those that are not among our own, as they go on behind these: ``undo_of`` in our ids."""
    ids = {identity: row["id"] for identity, row in identified(own)}
    new = len(own) + 1
    named: dict[int, int] = {}
    for identity, row in identified(others):
        if identity not in ids:
            ids[identity] = new
            new += 1
            yield {**row, "undo_of": row["undo_of"] and named[row["undo_of"]]}
        named[row["id"]] = ids[identity]


def identified(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Each row with what tells it from all others, wherever it stands: a hash of what it says and takes back."""
    found: dict[int, str] = {}
    for row in rows:
        said = {name: row[name] for name in _SAID} | {"undo_of": found.get(row["undo_of"])}
        found[row["id"]] = hashlib.sha256(canonical(said).encode()).hexdigest()
        yield found[row["id"]], row


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _broken(path, number, f"no JSON ({error})") from error
    if not isinstance(found, dict):
        raise _broken(path, number, "no JSON object")
    return found


def _broken(path: Path, number: int, problem: str) -> InputError:
    return InputError(f"{path}: line {number}: {problem}; nothing was merged, have the file exported anew")


def _ill_formed(row: Mapping[str, Any]) -> str:
    """What no export would have written: a stranger's rows may have good hashes all the same."""
    if row.keys() != set(COLUMNS):
        return f"columns {', '.join(sorted(row))}; wanted are {', '.join(sorted(COLUMNS))}"
    wrong = [name for name in COLUMNS if not _fits(name, row[name])]
    if wrong:
        return f"{', '.join(wrong)} cannot be so"
    earlier = row["undo_of"] is not None and 0 < row["undo_of"] < row["id"]
    answers = row["verdict"] in ANSWERS and (row["undo_of"] is None or earlier) and row["keys"] is not None
    return "" if answers or (row["verdict"] is None and earlier) else "neither an answer nor an undo of an earlier row"


def _astray(row: Row, before: Sequence[Row]) -> str:
    """An answer that replaces what is none, or one about something else."""
    if row["verdict"] is None or row["undo_of"] is None:
        return ""
    former = before[row["undo_of"] - 1]
    same = former["verdict"] is not None and thing(former) == thing(row)
    return "" if same else f"row {row['undo_of']} is no answer about the same, which this one could replace"


def _fits(name: str, value: Any) -> bool:
    if value is None:
        return name not in _ALWAYS
    if name in _BELOW:
        return type(value) is int and 0 <= value < _BELOW[name]
    return type(value) is str and _is_text(value) and _FORMS.get(name, _is_text)(value)


def _is_text(value: str) -> bool:
    """Whether it can be stored: half a character (a surrogate) cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).isoformat(timespec="microseconds") == value
    except ValueError:
        return False


def _are_keys(value: str) -> bool:
    return re.fullmatch(r"\[(\d{1,10}(,\d{1,10})*)?\]", value, re.ASCII) is not None and all(
        int(key) < 2**32 for key in value[1:-1].split(",") if key
    )


_FORMS: Final = {"at": _is_time, "until": _is_time, "keys": _are_keys}
