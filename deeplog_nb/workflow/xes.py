"""Sessions as an event log in XES (IEEE 1849), for process mining programs: a trace a session, an event an entry.

XES holds logs and no models: the automata go out by ``to_dot`` and ``save``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

import polars as pl

from deeplog_nb.workflow.texts import Texts

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>"""


def to_xes(placed: pl.DataFrame, texts: Texts | None) -> str:
    r"""The log; ``placed`` are sessions with the ``task`` and ``step`` of each entry, and ``time`` where known.

    Characters that XML forbids are written out.

    >>> rows = pl.DataFrame({"session": ["a"], "key": [5], "task": [1], "step": [2]})
    >>> print(to_xes(rows, {5: "is <b> & \x1b"}).splitlines()[7].strip())
    <string key="concept:name" value="is &lt;b&gt; &amp; \x1b"/>
    """
    told = texts or {}
    keys = placed["key"].unique().to_list()
    names = {key: _string("concept:name", told.get(key) or f"key {key}") for key in keys}
    traces = {name: _string("concept:name", name) for name in placed["session"].unique().to_list()}
    parts = [pl.col("key").replace_strict(names, return_dtype=pl.String)]
    if "time" in placed.columns:
        stamp = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
        parts.append(pl.format('      <date key="time:timestamp" value="{}"/>', stamp))
    parts += [pl.format('      <int key="{}" value="{}"/>', pl.lit(name), name) for name in ("key", "task", "step")]
    events = placed.with_columns(event=pl.concat_str(parts, separator="\n", ignore_nulls=True))
    grouped = events.group_by("session", maintain_order=True).agg(
        pl.format("    <event>\n{}\n    </event>", "event").str.join("\n")
    )
    return "\n".join([_HEAD, *_traces(grouped, traces), "</log>", ""])


def _traces(grouped: pl.DataFrame, names: Mapping[str, str]) -> list[str]:
    opened = pl.format(
        "  <trace>\n{}\n{}\n  </trace>", pl.col("session").replace_strict(names, return_dtype=pl.String), "event"
    )
    return grouped.select(opened.alias("trace"))["trace"].to_list()


def _string(key: str, value: str) -> str:
    """An attribute, at the depth of an event's."""
    clean = _FORBIDDEN.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), value)
    return f'      <string key="{key}" value={quoteattr(clean)}/>'
