"""What other parsers made comes in row for row, under keys of ours that stand for theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.events.structured import from_structured
from deeplog_nb.frames import EVENTS, TEMPLATES, InputError, check
from deeplog_nb.sessions.sessionize import sessionize

LOGPARSER = """\
LineId,Date,Time,Pid,Level,Component,Content,EventId,EventTemplate
1,081109,203615,148,INFO,dfs.A,"Got blk_1, 3 bytes",E7,"Got <*>, <*> bytes"
2,081109,203616,,WARN,dfs.B,Lost blk_1,E2,Lost <*>
3,081109,203617,149,INFO,dfs.A,"Got blk_2, 4 bytes",E7,"Got <*>, <*> bytes"
"""


def test_logparser_tables_come_in_whole(tmp_path: Path) -> None:
    """Ids, templates, times, levels and sources; the other columns stay as they stand."""
    path = tmp_path / "a.log_structured.csv"
    path.write_text(LOGPARSER)
    events, templates = from_structured(path)
    check(events, EVENTS, "events")
    check(templates, TEMPLATES, "templates")
    assert events["time"].to_list() == [datetime(2008, 11, 9, 20, 36, second) for second in (15, 16, 17)]
    assert events.select("key", "event", "level", "source", "Pid", "line").rows() == [
        (1, "E7", "INFO", "dfs.A", "148", 1),
        (2, "E2", "WARN", "dfs.B", "", 2),
        (1, "E7", "INFO", "dfs.A", "149", 3),
    ]
    assert templates.select("key", "event", "template", "count").rows() == [
        (1, "E7", "Got <*>, <*> bytes", 2),
        (2, "E2", "Lost <*>", 1),
    ]
    assert sessionize(events, by=r"(blk_\d+)")["key"].to_list() == [1, 2, 1]


def test_dates_that_a_table_took_for_numbers_are_read() -> None:
    """9 November 2008 as 81109 lost its zero, and midnight most of its six."""
    made = pl.DataFrame({"Date": [81109, 81109], "Time": [3, 203616], "EventId": ["a", "b"]})
    assert from_structured(made).events["time"].to_list() == [
        datetime(2008, 11, 9, 0, 0, 3),
        datetime(2008, 11, 9, 20, 36, 16),
    ]


def test_drain3_results_are_read_from_json_lines(tmp_path: Path) -> None:
    """A cluster's template is the one said last, when it had seen the most."""
    rows = [("cluster_created", 4, "took 3 s", 1), ("cluster_created", 9, "bye", 1), ("changed", 4, "took <*> s", 2)]
    names = ("change_type", "cluster_id", "template_mined", "cluster_size")
    path = tmp_path / "drain.jsonl"
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    events, templates = from_structured(path)
    assert events.select("key", "event", "change_type").rows() == [
        (1, "4", "cluster_created"),
        (2, "9", "cluster_created"),
        (1, "4", "changed"),
    ]
    assert templates["template"].to_list() == ["took <*> s", "bye"]


def test_loglead_frames_keep_their_sessions() -> None:
    """``seq_id`` is there for sessionize; the timestamp is one already."""
    when = [datetime(2026, 3, 2, 10, 15, second, tzinfo=UTC) for second in range(3)]
    made = pl.DataFrame(
        {
            "m_message": ["a 1", "b", "a 2"],
            "e_event_drain_id": [3, 5, 3],
            "seq_id": ["x", "y", "x"],
            "m_timestamp": when,
        }
    )
    events = from_structured(made).events
    assert events["time"].to_list() == [each.replace(tzinfo=None) for each in when]
    assert sessionize(events, by="seq_id").select("session", "key").rows() == [("x", 1), ("x", 1), ("y", 2)]


@pytest.mark.parametrize("keys", [["b", "a", None, "b"], pl.Series("k", ["b", "a", None, "b"])])
def test_a_plain_column_of_keys_is_enough(keys: object) -> None:
    """Keys are counted in order of first appearance; a row without one is kept, unseen."""
    events, templates = from_structured(keys)
    assert events.select("key", "event", "message", "matched").rows() == [
        (1, "b", "b", True),
        (2, "a", "a", True),
        (0, None, "", False),
        (1, "b", "b", True),
    ]
    assert templates["template"].to_list() == ["b", "a"]


def test_columns_that_are_called_as_ours_stay_under_another_name() -> None:
    """Nothing that came is lost: what is no event, message, level or source is ``…_given`` where the name is ours."""
    events = from_structured(pl.DataFrame({"event": ["a"], "time": ["noon"], "flags": [7], "user": ["ana"]})).events
    assert events.select("time", "time_given", "flags_given", "user").row(0) == (None, "noon", 7, "ana")


def test_the_columns_may_be_named() -> None:
    """Where the names tell nothing, the caller does."""
    made = pl.DataFrame({"cluster": [1, 1], "said": ["x 1", "x 2"]})
    events = from_structured(made, event="cluster", message="said").events
    assert events.select("key", "message").rows() == [(1, "x 1"), (1, "x 2")]


def test_the_standard_columns_are_preferred() -> None:
    """A column "event" beside EventTemplate, or EventId, may say anything, and stays under another name."""
    said = pl.DataFrame({"event": ["ana came", "bob came"], "EventTemplate": ["<*> came"] * 2})
    events = from_structured(said).events
    assert events.select("key", "event", "event_given").row(1) == (1, "<*> came", "bob came")
    assert from_structured(said.with_columns(EventId=pl.lit("E1"))).events["event"].to_list() == ["E1", "E1"]


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (pl.DataFrame({"a": [1]}), {}, "no column of events among a; name it"),
        (pl.DataFrame({"a": [1]}), {"event": "b"}, "no column is called 'b'; there are: a"),
        (object(), {}, "object: no table .*; give a file"),
        ("no.csv", {}, "no.csv: cannot be read as csv"),
        ([[1, 2], [3]], {}, "the keys are List.*; give one flat column"),
        ((1, "a"), {}, "the keys are of several kinds"),
        ("no.xlsx", {}, "no table by its name; give a .csv"),
    ],
)
def test_what_is_no_table_of_events_is_refused(table: object, options: dict[str, str], said: str) -> None:
    """The error says what came, and what is accepted."""
    with pytest.raises(InputError, match=said):
        from_structured(table, **options)


@pytest.mark.parametrize(
    "system", ["Apache", "BGL", "HDFS", "Hadoop", "OpenStack", "Spark", "Thunderbird", "Zookeeper"]
)
def test_published_tables_come_in_row_for_row(data: Callable[[str], Path], system: str) -> None:
    """All rows, all templates, and every time of the logs that state a year, in both versions of the labels."""
    for version in ("", "_corrected"):
        events, templates = from_structured(data(f"loghub_2k/{system}/{system}_2k.log_structured{version}.csv"))
        ids = pl.read_csv(data(f"loghub_2k/{system}/{system}_2k.log_structured{version}.csv"), infer_schema=False)
        back = dict(templates.select("key", "event").rows())
        assert [back[key] for key in events["key"]] == ids["EventId"].to_list()
        assert (len(events), events["time"].null_count()) == (2000, 0)
