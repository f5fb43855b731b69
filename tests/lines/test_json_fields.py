"""JSON lines: fields by the usual names, by those that a layout says, nested ones too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.detection import detect
from deeplog_nb.lines.fields import with_fields
from deeplog_nb.lines.json_fields import path_of
from deeplog_nb.lines.layouts import Layout, check_layout, layout_named


def fields(layout: str | Layout, text: str) -> dict[str, Any]:
    known = layout_named(layout) if isinstance(layout, str) else check_layout(layout)
    return with_fields(pl.DataFrame({"text": [text]}), known).row(0, named=True)


def test_a_journal_message_of_bytes_is_read_as_text() -> None:
    """What systemd cannot write as a string it writes as numbers; broken bytes are written out."""
    found = fields("journald", '{"__REALTIME_TIMESTAMP":"1772446500123456","MESSAGE":[27,91,195,188,255],"_PID":"7"}')
    assert (found["message"], found["pid"]) == ("\x1b[ü\\xff", "7")
    assert found["time"] == datetime(2026, 3, 2, 10, 15, 0, 123_456)


@pytest.mark.parametrize("message", ["[300]", "[]", "[1, ", '"[7]"'])
def test_other_lists_stay_as_they_stand(message: str) -> None:
    """What is no list of bytes is not read as one, and stops nothing."""
    found = fields("journald", f'{{"__REALTIME_TIMESTAMP":"1","MESSAGE":{message}}}')
    assert found["message"] in (None, message, "\x07")


def test_a_docker_line_ends_where_its_line_ends() -> None:
    """The line end inside is the container's own; the stream is a column."""
    found = fields("docker", layout_named("docker").samples[0])
    assert (found["message"], found["stream"]) == ("item 7 added", "stdout")
    assert found["time"] == datetime(2026, 3, 2, 10, 15, 0, 123_456)


@pytest.mark.parametrize("layout", ["otel", "otel_export"])
def test_opentelemetry_records_are_cut(layout: str) -> None:
    """Flat, or nested as the collector writes them."""
    found = fields(layout, layout_named(layout).samples[0])
    assert (found["message"], found["level"], found["trace"]) == ("item 7 added", "INFO", "5b8e")
    assert found["time"] == datetime(2026, 3, 2, 10, 15, 0, 123_456)


def test_a_line_of_several_opentelemetry_records_is_kept_whole() -> None:
    """Half of a batch would be a loss that nobody sees; it has the time of its first record."""
    time = datetime(2026, 3, 2, 10, 15)
    one = '{"timeUnixNano":"1772446500000000000","body":{"stringValue":"a"}}'
    text = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{one},{one}]}}]}}]}}'
    found = fields("otel_export", text)
    assert (found["message"], found["time"], found["level"]) == (text, time, None)
    assert detect([text]).layout.name == "otel_export"


def test_names_say_where_the_fields_are() -> None:
    """Nested or with a point in the name; what is not named is guessed as ever; other names are columns."""
    mine = Layout("mine", "mine", kind="json", names={"message": "body.text", "time": ["when"], "job": "run.ids[1]"})
    found = fields(mine, '{"when": 1772446500, "lvl": "warn", "body": {"text": "x"}, "run": {"ids": [7, 8]}}')
    assert (found["message"], found["level"], found["job"]) == ("x", "warn", "8")
    assert found["time"] == datetime(2026, 3, 2, 10, 15)
    assert fields(mine, '{"body.text": "y"}')["message"] == "y"


def test_a_path_is_quoted() -> None:
    """A name is never read as anything but a name."""
    assert path_of('a"].b[0]') == '$["a\\""]["b"][0]'
    assert fields(Layout("m", "m", kind="json", names={"message": "*"}), '{"a": 1}')["message"] is None


def test_names_that_are_ours_are_refused() -> None:
    """A field may not push a column of the contract aside."""
    with pytest.raises(InputError, match="may not be called key"):
        check_layout(Layout("mine", "mine", kind="json", names={"key": "id"}))
