"""What other parsers made of a log -> EVENTS: Drain3, logparser, LogLead, or a plain column of keys.

Their ids are kept beside ours, row for row; nothing is mined or matched anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import polars as pl

from deeplog_nb.frames import EVENTS, TEMPLATES, TIME, InputError
from deeplog_nb.lines.layouts import layouts
from deeplog_nb.lines.times import read_epochs, read_times

NAMES: Final = {  # patterns of the columns' names, the whole name in any case, first that is there
    "event": ("eventid", r"e_event_\w*id", "cluster_?id", r"e_event_\w+", "event_id", "template_?id", "event", "key"),
    "template": ("eventtemplate", "template_mined", r"e_template\w*", "event_template", "template"),
    "message": ("content", "m_message", "message", "log_message", "msg", "log", "text"),
    "level": ("level", "m_level", "severity"),
    "source": ("component", "m_component", "source", "logger"),
    "line": ("lineid", "line"),
}
TIMES: Final = (  # columns that say the time together, tried in this order
    *(("m_timestamp",), ("time",), ("timestamp",), ("datetime",), ("date", "time")),
    *(("date",),),
)
READERS: Final[dict[str, Any]] = {
    ".csv": lambda path: pl.read_csv(path, infer_schema=False, empty_string_is_null=False),
    ".json": lambda path: pl.read_ndjson(path, infer_schema_length=None),
    ".parquet": pl.read_parquet,
}
ALIKE: Final = {".json": (".jsonl", ".ndjson")}
OLDEST: Final = 100_000_000  # seconds since 1970: a smaller number is a count or a clock, no date


class Structured(NamedTuple):
    """EVENTS, and TEMPLATES with ``event``, the id that the other parser gave."""

    events: pl.DataFrame
    templates: pl.DataFrame


def from_structured(
    table: object, *, event: str | None = None, template: str | None = None, message: str | None = None
) -> Structured:
    """EVENTS and TEMPLATES of what another parser made: a file (CSV, JSON lines, Parquet), a frame, or its keys.

    The columns are told by the names that Drain3, logparser and LogLead give them, or by ``event``, ``template``
    and ``message``. A row in is a row out, in order; a row without an event has key 0. Keys count the
    events in order of first appearance. Every other column stays; one whose name is ours comes as ``…_given``. A
    time is read where its columns state the year. A frame is of any kind that speaks Arrow.

    >>> made = {"Content": ["Took 3 s", "Bye", "Took 4 s"], "EventId": ["E7", "E2", "E7"], "job": [1, 1, 2]}
    >>> events, templates = from_structured(pl.DataFrame(made))
    >>> events.select("message", "key", "event", "job")
    shape: (3, 4)
    ┌──────────┬─────┬───────┬─────┐
    │ message  ┆ key ┆ event ┆ job │
    │ ---      ┆ --- ┆ ---   ┆ --- │
    │ str      ┆ u32 ┆ str   ┆ i64 │
    ╞══════════╪═════╪═══════╪═════╡
    │ Took 3 s ┆ 1   ┆ E7    ┆ 1   │
    │ Bye      ┆ 2   ┆ E2    ┆ 1   │
    │ Took 4 s ┆ 1   ┆ E7    ┆ 2   │
    └──────────┴─────┴───────┴─────┘
    """
    name, given = _load(table)
    asked = {"event": event, "template": template, "message": message}
    found = {what: _column(given, what, asked.get(what)) for what in NAMES}
    if event is None and _says(found["event"], NAMES["event"][-2:]) and _says(found["template"], NAMES["template"][:3]):
        found["event"] = None  # a column "event" may say anything, EventTemplate is what a parser found
    if not (by := found["event"] or found["template"]):
        raise InputError(
            f"{name}: no column of events among {', '.join(given.columns)}; name it, as in event='cluster_id'"
        )
    events = _events(given, found, by, name)
    return Structured(events, _templates(events))


def _events(given: pl.DataFrame, found: dict[str, str | None], by: str, name: str) -> pl.DataFrame:
    ids = given[by].cast(pl.String).replace("", None)
    order = ids.drop_nulls().unique(maintain_order=True)
    keys = ids.replace_strict(order, pl.int_range(1, len(order) + 1, dtype=pl.UInt32, eager=True), default=0)
    texts = {what: given[column].cast(pl.String) if column else None for what, column in found.items()}
    fallback = next((text for what in ("template", "event") if (text := texts[what]) is not None), ids)
    said = texts["message"] if texts["message"] is not None else fallback
    numbers = pl.Series(range(1, len(given) + 1), dtype=pl.UInt64)
    lines = None if texts["line"] is None else texts["line"].cast(pl.UInt64, strict=False)
    nothing = pl.repeat(None, len(given), dtype=pl.String(), eager=True)
    contract = {
        "file": pl.repeat(name, len(given), dtype=pl.String(), eager=True),
        "line": lines if lines is not None and not lines.null_count() and lines.is_unique().all() else numbers,
        "offset": nothing,
        "length": said.str.len_bytes(),
        "time": _time(given),
        "level": nothing if texts["level"] is None else texts["level"],
        "source": nothing if texts["source"] is None else texts["source"],
        "message": said.fill_null(""),
        "matched": ids.is_not_null(),
        "flags": pl.Series([[]] * len(given), dtype=EVENTS["flags"]),
        "key": keys,
        "parameters": pl.Series([[]] * len(given), dtype=pl.List(pl.String)),
    }
    frame = pl.DataFrame({column: contract[column].cast(kind) for column, kind in EVENTS.items()})
    own = {"event": ids} | ({} if texts["template"] is None else {"template": texts["template"]})
    return frame.with_columns(**own).hstack(_others(given, found, {*frame.columns, *own}))


def _others(given: pl.DataFrame, found: dict[str, str | None], ours: set[str]) -> list[pl.Series]:
    """The columns that are not in the contract as they came."""
    used = {found[what] for what in ("event", "template", "message", "level", "source")}
    return [given[name].alias(f"{name}_given" if name in ours else name) for name in given.columns if name not in used]


def _templates(events: pl.DataFrame) -> pl.DataFrame:
    """One row a key. A template that grew while it was mined is the last one said."""
    text = "template" if "template" in events.columns else "event"
    return (
        events.filter(pl.col("key") > 0)
        .group_by("key")
        .agg(
            template=pl.col(text).drop_nulls().last(),
            count=pl.len().cast(pl.UInt64),
            example=pl.col("message").first(),
            first_line=pl.col("line").first(),
            event=pl.col("event").first(),
        )
        .select(*TEMPLATES, "event")
        .sort("key")
    )


def _load(table: object) -> tuple[str, pl.DataFrame]:
    if isinstance(table, str | Path):
        return str(table), _file(Path(table))
    if isinstance(table, pl.Series) or (isinstance(table, Sequence) and not isinstance(table, bytes)):
        return "keys", _keys(table)
    try:
        return "frame", table.collect() if isinstance(table, pl.LazyFrame) else pl.DataFrame(cast(Any, table))
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{type(table).__name__}: no table ({error}); give a file, a frame that speaks Arrow, or a column of keys"
        ) from error


def _keys(table: Any) -> pl.DataFrame:
    try:
        keys = pl.DataFrame({"event": table})
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"the keys are of several kinds ({str(error).splitlines()[0]}); give them all as text"
        ) from error
    if keys["event"].dtype.is_nested():
        raise InputError(
            f"the keys are {keys['event'].dtype}; give one flat column, a key a line, and sessions by a frame"
        )
    return keys


def _file(path: Path) -> pl.DataFrame:
    endings = {ending: kind for kind in READERS for ending in (kind, *ALIKE.get(kind, ()))}
    kind = next((endings[each] for each in reversed(path.suffixes) if each in endings), None)
    if kind is None:
        raise InputError(f"{path}: no table by its name; give a .csv, .jsonl or .parquet file, or a frame")
    try:
        frame: pl.DataFrame = READERS[kind](path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{path}: cannot be read as {kind[1:]} ({str(error).splitlines()[0]}); is it whole?"
        ) from error
    return frame


def _column(given: pl.DataFrame, what: str, asked: str | None) -> str | None:
    if asked is None:
        return next((name for form in NAMES[what] for name in given.columns if re.fullmatch(form, name, re.I)), None)
    if asked not in given.columns:
        raise InputError(f"no column is called {asked!r}; there are: {', '.join(given.columns)}")
    return asked


def _says(column: str | None, forms: Sequence[str]) -> bool:
    return column is not None and any(re.fullmatch(form, column, re.I) for form in forms)


def _time(given: pl.DataFrame) -> pl.Series:
    """The first of the columns, or pairs of them, that states a time with its year on most rows."""
    named = {name.lower(): given[name] for name in given.columns}
    for names in TIMES:
        columns = [named[name] for name in names if name in named]
        if len(columns) == len(names) and (read := _read(columns)).null_count() <= len(read) // 2:
            return read
    return pl.repeat(None, len(given), dtype=TIME, eager=True)


def _read(columns: list[pl.Series]) -> pl.Series:
    first = columns[0]
    if first.dtype.is_temporal() and len(columns) == 1:
        zoned = isinstance(first.dtype, pl.Datetime) and first.dtype.time_zone is not None
        return (first.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else first).cast(TIME)
    texts = pl.select(pl.concat_str(*map(_written, columns), separator=" ")).to_series()
    known = dict.fromkeys(chain(*(each.time for each in layouts().values() if each.time and not each.lacks_year)))
    read = read_times(texts, [form for form in known if "%s" not in form])
    dated = texts.cast(pl.Float64, strict=False) > OLDEST
    return read.zip_with(read.is_not_null() | ~dated.fill_null(False), read_epochs(texts))


def _written(column: pl.Series) -> pl.Series:
    """The text; a date or clock of six digits that a table took for a number has its zeros back."""
    texts = column.cast(pl.String)
    return texts.str.zfill(6) if texts.str.contains(r"^[0-9]{1,6}$").all() else texts
