"""A layout is told by its lines, and a broken one is refused before a file is read."""

from __future__ import annotations

import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.detection import detect
from deeplog_nb.lines.layouts import Layout, check_layout, layout_named, layouts

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
