"""The text of a line -> its fields by a layout: time, level, source, message and the layout's own columns.

Which lines make a record, and what follows from their neighbours, is ``records``' matter.
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import TIME, InputError
from deeplog_nb.lines.json_fields import json_fields
from deeplog_nb.lines.layouts import Layout
from deeplog_nb.lines.patterns import header, quick
from deeplog_nb.lines.times import read_times


def with_fields(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The lines, with the fields of their ``text``, and whether these make a record of this layout: ``matched``.

    >>> from deeplog_nb.lines.layouts import layout_named
    >>> line = pl.DataFrame({"text": ["WARNING:root:no such item"]})
    >>> with_fields(line, layout_named("python_basic")).row(0, named=True)["message"]
    'no such item'
    """
    found = _fields(lines["text"], layout)
    nothing = pl.repeat(None, len(lines), dtype=pl.String(), eager=True)
    time = found.get("time", nothing.cast(TIME))
    timed = time.is_not_null() if layout.kind == "regex" and layout.time else True
    columns = {"time": time, **{name: found.get(name, nothing) for name in own_names(layout)}}
    return lines.with_columns(**columns, matched=found["message"].is_not_null() & timed)


def own_names(layout: Layout) -> list[str]:
    """The fields that this layout gives beside ``time``: the contract's, and its own."""
    own = layout.groups if layout.kind == "regex" else [*layout.names, *layout.columns]
    return list(dict.fromkeys(["level", "source", "message", *(name for name in own if name != "time")]))


def check_samples(layout: Layout) -> Layout:
    """The layout as it came, or an error that names the first of its own samples that it does not fit."""
    lines = with_fields(pl.DataFrame({"text": pl.Series(layout.samples, dtype=pl.String)}), layout)
    if odd := lines.filter(~pl.col("matched"))["text"].head(1).to_list():
        raise InputError(
            f"layout {layout.name!r}: its sample {odd[0]!r} does not fit; change the pattern, time or sample"
        )
    return layout


def _fields(texts: pl.Series, layout: Layout) -> dict[str, pl.Series]:
    if layout.kind == "text":
        return {"message": texts}
    return _groups(texts, layout) if layout.kind == "regex" else json_fields(texts, layout)


def _groups(texts: pl.Series, layout: Layout) -> dict[str, pl.Series]:
    before = header(layout.pattern)
    lines = texts.to_frame("text")
    cut = lines.select(pl.col("text").str.extract_groups(quick(before or layout.pattern)).alias("cut"))[
        "cut"
    ].struct.unnest()
    found = {name: cut[name] for name in cut.columns}
    if before:
        rest = lines.select(pl.col("text").str.strip_prefix(found.pop("_header")))
        found["message"] = rest.to_series()
    if "time" in found:
        found["time"] = read_times(found["time"], layout.time, lacks_year=layout.lacks_year)
    return found
