"""A line of JSON -> its fields: by the names that JSON logs use, or those that a layout says.

Each line is looked at alone, so that a broken one costs nothing but itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from deeplog_nb.lines.layouts import OURS, RESERVED, Layout
from deeplog_nb.lines.times import read_epochs, read_times

NAMES: Final = {  # where JSON logs keep what we need, first that is there
    "time": ("time", "timestamp", "@timestamp", "ts", "asctime", "datetime"),
    "level": ("level", "severity", "levelname", "lvl"),
    "source": ("logger", "source", "name", "component", "service"),
    "message": ("message", "msg", "event", "log", "text"),
}
BESIDE: Final = "json_"  # put before a field's name where it is that of a column of ours


def json_fields(texts: pl.Series, layout: Layout) -> dict[str, pl.Series]:
    """Each field of these lines; a message ends before its last line end, as in other layouts."""
    own = {name: (name, name.removeprefix(BESIDE)) for name in layout.columns}
    wanted = {**NAMES, **own, **_several(layout)}
    found = {name: _first(texts, paths) for name, paths in wanted.items()}
    stamp = found["time"]
    said = read_times(stamp, layout.time, lacks_year=layout.lacks_year)
    message = _without_bytes(found["message"]) if layout.kind == "journal" else found["message"]
    crowd = _first(texts, layout.absent).is_not_null()
    found = {name: field.set(crowd, None) for name, field in found.items()} if crowd.any() else found
    return found | {
        "time": said
        if said.null_count() == stamp.null_count()
        else said.zip_with(said.is_not_null(), read_epochs(stamp)),
        "message": message.str.strip_suffix("\n").zip_with(~crowd, texts),
    }


def json_columns(texts: pl.Series, layout: Layout) -> list[str]:
    """Plain top-level names in these lines beyond the contract: what ``--session COLUMN`` can name.

    One that is called as a column of ours, such as ``file``, comes as ``json_file``.
    """
    found = texts.str.extract_all(r'"[A-Za-z_]\w*"\s*:\s*[^\[{\s]').explode().drop_nulls()
    named = {path for paths in _several(layout).values() for path in paths}
    taken = {name for names in NAMES.values() for name in names} | OURS | named | set(layout.names)
    plain = {text.split('"')[1] for text in found.to_list()} - taken
    return sorted(BESIDE + name if name in RESERVED else name for name in plain)


def path_of(name: str) -> str:
    """The JSON path of ``a.b[0].c``.

    >>> path_of("logs[0].body")
    '$["logs"][0]["body"]'
    """
    parts = re.findall(r"[^.\[\]]+|\[\d+\]", name)
    return "$" + "".join(
        part if part.startswith("[") else f"[{json.dumps(part, ensure_ascii=False)}]" for part in parts
    )


def _several(layout: Layout) -> dict[str, tuple[str, ...]]:
    return {name: (said,) if isinstance(said, str) else tuple(said) for name, said in layout.names.items()}


def _first(texts: pl.Series, paths: Sequence[str]) -> pl.Series:
    """What stands under the first of these names that is there. A name with points may be one name, or nested ones."""
    whole = [f"$[{json.dumps(path, ensure_ascii=False)}]" for path in paths if "." in path]
    ways = [way for way in (*whole, *map(path_of, paths)) if _may_hold(texts, way)]
    found = texts.to_frame("text").select(pl.coalesce(pl.lit(None, pl.String), *map(_at, ways)))
    return found.to_series() if len(found) == len(texts) else found.to_series().new_from_index(0, len(texts))


def _at(way: str) -> pl.Expr:
    return pl.col("text").str.json_path_match(way)


def _may_hold(texts: pl.Series, way: str) -> bool:
    """Whether the last name of this path stands in any of the lines: most do not, and need not be looked for."""
    last = re.findall(r'"(?:[^"\\]|\\.)*"', way)[-1]
    return bool(texts.str.contains(last, literal=True).any())


def _without_bytes(messages: pl.Series) -> pl.Series:
    """The journal writes what is not plain text as a list of bytes: read as text, as other lines are."""
    lists = messages.str.contains(r"^\[[0-9, ]*\]$").fill_null(False)
    if not lists.any():
        return messages
    distinct = messages.filter(lists).unique()
    texts = [_text(json.loads(each)) or each for each in distinct]
    return messages.replace(distinct, pl.Series(texts))


def _text(numbers: list[int]) -> str:
    return bytes(numbers).decode("utf-8", "backslashreplace") if max(numbers, default=256) < 256 else ""
