"""A layout is told by its lines, and a broken one is refused before a file is read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.detection import detect
from deeplog_nb.lines.fields import with_fields
from deeplog_nb.lines.layouts import Layout, check_layout, layout_named, layouts
from deeplog_nb.lines.read import read

ALL = [*layouts().values()]


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_samples_are_detected_as_their_own_layout(layout: Layout) -> None:
    """Every line that a layout gives as a sample fits it, and it better than any other."""
    found = detect(layout.samples)
    assert (found.layout.name, found.share, found.unfitted) == (layout.name, 1.0, [])


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_every_shipped_layout_passes_its_own_check(layout: Layout) -> None:
    """What we ask of other people's layouts holds for ours."""
    assert check_layout(layout) is layout


def test_too_few_fitting_lines_mean_bare_text() -> None:
    """Seven of ten lines are no layout; eight are, and the odd ones are shown."""
    syslog, odd = "Mar  2 10:15:00 gate su: ok", "###"
    assert detect([syslog] * 7 + [odd] * 3).layout.name == "text"
    assert detect([syslog] * 8 + [odd] * 2).unfitted == [odd, odd]


def test_blank_lines_do_not_count_against_a_layout() -> None:
    """A log with many empty lines is detected all the same."""
    assert detect(["Mar  2 10:15:00 gate su: ok", "", "  ", "\t"]).looked_at == 1


def test_a_detection_shows_a_line_of_each_kind() -> None:
    """What people read of a detection names the layout, its share and an odd line."""
    shown = str(detect(["Mar  2 10:15:00 gate su: ok"] * 9 + ["###"]))
    assert "syslog (syslog (RFC 3164)): fits 90% of 10 lines" in shown
    assert "fits not  '###'" in shown


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?P<message>.*", "no linear-time pattern: unclosed group"),
        ("(?P<message>a(?=b))", "look-around"),
        ("(?P<text>.*)", r"no group \(\?P<message>"),
        ("(?P<key>.)(?P<message>.*)", "groups may not be called key"),
    ],
)
def test_a_layout_that_cannot_work_is_refused(pattern: str, said: str) -> None:
    """The error names the layout and what its pattern lacks."""
    with pytest.raises(InputError, match=f"layout 'mine': .*{said}"):
        check_layout(Layout("mine", "my log", pattern=pattern))


def test_an_unknown_layout_is_answered_with_the_known_ones() -> None:
    """A misspelt name is answered with all the names there are."""
    with pytest.raises(InputError, match=r"'sislog'; there are: hdfs, .*syslog"):
        layout_named("sislog")


@pytest.mark.parametrize(
    ("time", "sentence"), [("%H:%M", "time is a list; write time="), ((), "its pattern has a time; say its formats")]
)
def test_a_layout_whose_times_cannot_be_read_is_refused(time: object, sentence: str) -> None:
    """A format that is no list, or none at all, is said to be so before any line is read."""
    with pytest.raises(InputError, match=sentence):
        check_layout(Layout("mine", "mine", pattern=r"^(?P<time>\S+) (?P<message>.*)$", time=time))  # type: ignore[arg-type]


OWN = """\
[shop]
pattern = '^(?P<time>\\S+ \\S+) (?P<host>\\S+) (?P<message>.*)$'
time = ["%d/%m/%Y %H:%M:%S"]
"""


def test_a_layout_of_ones_own_is_a_small_file(tmp_path: Path) -> None:
    """One entry as in ours; its name is the title where none is said."""
    path = tmp_path / "shop.toml"
    path.write_text(OWN)
    (tmp_path / "a.log").write_text("02/03/2026 10:15:00 gate item 7 added\n")
    lines = read(tmp_path / "a.log", layout=str(path))
    assert lines.select("time", "host", "message").row(0) == (datetime(2026, 3, 2, 10, 15), "gate", "item 7 added")
    assert layout_named(str(path)).title == "shop"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[shop]\npatern = 'x'", "a layout has no patern; it has: title, kind, pattern"),
        ('[shop]\npattern = "\\d"', "no TOML: .*backslashes want"),
        ("pattern = 'x'", r"one layout is wanted: \[its_name\]"),
        ("[shop]\npattern = 5", "layout 'shop': pattern is 5, and not a text"),
        ("[shop]\npattern = 'x'\ntime = [5]", r"time is \[5\], and not a list of texts"),
        ("[shop]\nkind = 'json'\nnames = 5", "names is 5; write names="),
        ("[shop]\nkind = 'json'\nnames = {message = 5}", "names is .*; write names="),
        (OWN + OWN.replace("shop", "cart"), "one layout is wanted"),
        (OWN + 'samples = ["02/03/2026 10:15:00 gate x", "###"]', "layout 'shop': its sample '###' does not fit"),
    ],
)
def test_a_file_that_holds_no_layout_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """The error says what is wrong with it."""
    path = tmp_path / "shop.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read(__file__, layout=str(path))


def test_a_file_that_is_not_there_is_said_to_be_so() -> None:
    """As any other that is named."""
    with pytest.raises(InputError, match=r"no\.toml: cannot be read \(No such file"):
        layout_named("no.toml")


def test_a_named_layout_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    """Of twenty lines one must fit, or it is the wrong layout; the right one is suggested. Fewer lines are kept."""
    path = tmp_path / "a.log"
    path.write_text("Mar  2 10:15:00 gate su: ok\n" * 19)
    assert read(path, layout="hdfs")["matched"].sum() == 0
    path.write_text("Mar  2 10:15:00 gate su: ok\n" * 20)
    with pytest.raises(InputError, match=r"layout hdfs fits none of the 20 lines, such as .*try layout syslog"):
        read(path, layout="hdfs")


def test_windows_events_fold_their_lines(tmp_path: Path) -> None:
    """An exported message goes on over lines that look like nothing."""
    path = tmp_path / "events.csv"
    path.write_text('Error,3/2/2026 1:15:01 PM,Shop,1000,None,"No such item:\nid 7\n\nSee the manual."\n' * 3)
    lines = read(path)
    assert lines["message"][0] == '"No such item:\nid 7\n\nSee the manual."'
    assert (lines["time"][0], len(lines)) == (datetime(2026, 3, 2, 13, 15, 1), 3)


@pytest.mark.parametrize("layout", [each for each in ALL if each.time], ids=lambda layout: layout.name)
def test_samples_say_the_same_day_in_utc(layout: Layout) -> None:
    """The samples are of the second of March or the days after, 2026, whatever their clocks are set to."""
    times = with_fields(pl.DataFrame({"text": layout.samples}), layout)["time"]
    assert times.null_count() == 0
    assert set(times.dt.year()) == ({1972} if layout.lacks_year else {2026})
    assert times[0].strftime("%m-%d") == "03-02"


CUT = [  # layout, line, and its time, level, source and message
    ("iso", "2026-03-02 12:15:00 +0200 INFO up", (10, "INFO", None, "up")),
    ("iso", "2026-03-02T10:15:00Z  INFO my_crate::server: up", (10, "INFO", "my_crate::server", "up")),
    ("iso", "[2026-03-02T10:15:00Z INFO  my_crate::server] up", (10, "INFO", "my_crate::server", "up")),
    ("iso", "2026-03-02 10:15:00 INFO a::b c", (10, "INFO", None, "a::b c")),
    ("gunicorn", "[2026-03-02 12:15:00 +0200] [7] [INFO] up", (10, "INFO", None, "up")),
    ("celery", "[2026-03-02 10:15:00,123: INFO/MainProcess] up", (10, "INFO", "MainProcess", "up")),
    ("log4j", "2026-03-02 10:15:00,123 [main] INFO  com.foo.Bar - up", (10, "INFO", "com.foo.Bar", "up")),
    ("elasticsearch", "[2026-03-02T10:15:00,123][INFO ][o.e.n.Node] [node] up", (10, "INFO", "o.e.n.Node", "up")),
    ("postgresql_rds", "2026-03-02 10:15:00 UTC::@:[412]:LOG:  up", (10, "LOG", None, "up")),
    ("postgresql", "2026-03-02 12:15:00.123 +02 [412] LOG:  up", (10, "LOG", None, "up")),
]


@pytest.mark.parametrize(("name", "line", "wanted"), CUT, ids=[each[1] for each in CUT])
def test_lines_are_told_and_cut_where_their_fields_end(name: str, line: str, wanted: tuple[object, ...]) -> None:
    """Each is told as its own layout; offsets are applied, and sources are whole."""
    layout = detect([line]).layout
    found = with_fields(pl.DataFrame({"text": [line]}), layout).row(0, named=True)
    assert (layout.name, found["time"].hour, found["level"], found["source"], found["message"]) == (name, *wanted)
