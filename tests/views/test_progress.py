from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from deeplog_nb.views.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(steps: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The lines shown, and when, of steps that come at these seconds."""
    now, shown = [0.0], []
    report = Progress("t", show=lambda line, last: shown.append((now[0], line)), clock=lambda: now[0])
    for now[0], step in steps:
        report(step)
    report.done()
    return shown


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A process that looks like a notebook's kernel, and all that it publishes."""
    published: list[dict[str, Any]] = []
    display = SimpleNamespace(publish=lambda **message: published.append(message))
    shell = SimpleNamespace(kernel=object(), display_pub=display)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return published


def test_the_first_step_shows_at_once_and_the_last_always() -> None:
    """Nobody waits for the first line, and the final state is never lost to the rate."""
    assert run([(0, "1"), (0.1, "2"), (0.2, "3")]) == [(0, "t · 1"), (0.2, "t · 3")]


def test_lines_come_at_most_four_times_a_second() -> None:
    """A thousand steps in one second are four lines and the final one."""
    times = [at for at, _ in run([(step / 1000, str(step)) for step in range(1000)])]
    assert times == [0, 0.25, 0.5, 0.75, 0.999]


def test_done_tells_its_own_text_once() -> None:
    """What done says is the last line; anything after it shows nothing."""
    shown: list[tuple[str, bool]] = []
    report = Progress("t", show=lambda *line: shown.append(line))
    report.done("12 epochs")
    report.done("again")
    report("late")
    assert shown == [("t · 12 epochs", True)]


def broken(error: type[BaseException], shown: list[str]) -> None:
    with Progress("t", show=lambda line, last: shown.append(line)) as report:
        report("1")
        raise error


@pytest.mark.parametrize(
    ("error", "line"), [(KeyboardInterrupt, "t · 1 · interrupted"), (ValueError, "t · 1 · stopped by ValueError")]
)
def test_work_that_breaks_off_says_where(error: type[BaseException], line: str) -> None:
    """The last line of broken work names the step that it reached, and the error goes on."""
    shown: list[str] = []
    with pytest.raises(error):
        broken(error, shown)
    assert shown[-1] == line


def test_a_notebook_gets_one_output_that_is_updated(kernel: list[dict[str, Any]]) -> None:
    """All lines go to one display, as plain text that survives any export."""
    report = Progress("t")
    report("1")
    report.done("2")
    assert [m["data"] for m in kernel] == [{"text/plain": "t · 1"}, {"text/plain": "t · 2"}]
    assert [m["update"] for m in kernel] == [False, True]
    assert len({m["transient"]["display_id"] for m in kernel}) == 1


def test_two_reports_in_a_notebook_keep_to_their_own_outputs(kernel: list[dict[str, Any]]) -> None:
    """A second report does not write over the first one's last line."""
    Progress("a").done()
    Progress("b").done()
    assert len({m["transient"]["display_id"] for m in kernel}) == 2


def test_a_terminal_line_overwrites_itself_and_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on stderr, cut to the window, ended once by a new line."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "8")
    report = Progress("t")
    report("1234567")
    report.done("2")
    assert sys.stderr.getvalue() == "\rt · 123\x1b[K\rt · 2\x1b[K\n"


def test_elsewhere_progress_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file or a pipe gets nothing."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    report = Progress("t")
    report("1")
    report.done()
    assert sys.stderr.getvalue() == ""


def test_steps_cannot_steer_the_terminal() -> None:
    """A step that carries escapes or new lines, a hostile file name say, shows them as text."""
    assert run([(0, "\x1b[2J\nx")])[0] == (0, "t · \\x1b[2J\\nx")
