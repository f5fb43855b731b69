"""The panel over a tail, without a browser: what it shows, how it stops, what it leaves."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.case.case import Case
from deeplog_nb.case.tail import Tail, tail
from deeplog_nb.controls.live import Panel, live
from deeplog_nb.controls.receipt import Receipt, bundle
from deeplog_nb.detector import Detector
from deeplog_nb.frames import DeepLogError, InputError
from deeplog_nb.models.keys import KeyModel

STEPS = ["open the file", "read a block", "check the sum", "close the file"]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> $\\alpha$ \x1b[31m"


@pytest.fixture(scope="module")
def detector() -> Detector:
    lines = pl.DataFrame({"message": STEPS * 120}).with_columns(
        file=pl.lit("x", pl.Categorical()), line=pl.int_range(1, pl.len() + 1, dtype=pl.UInt64)
    )
    return Detector.fit(lines, keys=KeyModel(history=3, units=8, layers=1))


@pytest.fixture
def followed(tmp_path: Path, detector: Detector) -> Iterator[Tail]:
    """A tail of a log with one hostile line among usual ones."""
    log = tmp_path / "app.log"
    log.write_text("\n".join([*STEPS * 3, HOSTILE, *STEPS]) + "\n")
    made = tail(log, Case(tmp_path / "case"), detector, layout="text", poll=0.01, settle=0.01)
    yield made
    made.stop()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], bool]]:
    """What was displayed as a receipt, and whether in the place of the one before."""
    said: list[tuple[dict[str, str], bool]] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **how: said.append((data, how["update"])) if "update" in how else None
    )
    return said


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.01)


def texts(panel: Panel) -> str:
    """All that the widgets hold."""
    return "\n".join(str(getattr(each, "value", "")) for each in (*panel.box.children[0].children, *panel.box.children))


def test_log_text_is_escaped_in_every_widget(followed: Tail) -> None:
    """Nothing of a hostile line reaches the widgets but as text."""
    panel = Panel(followed)
    for _ in followed:
        if followed.pulse().records == 17:
            followed.stop()
    panel.refresh()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts(panel)
    assert "<script" not in texts(panel)
    assert "<img" not in texts(panel)
    assert "\x1b" not in texts(panel)


def test_it_is_drawn_at_most_four_times_a_second(followed: Tail) -> None:
    """Between two states lies a quarter of a second, however often it is told; the last one is always shown."""
    now, drawn = [0.0], []
    panel = Panel(followed, clock=lambda: now[0])
    panel._head.observe(lambda change: drawn.append(now[0]), names="value")
    for number, _ in enumerate(followed):
        now[0] += 0.1
        followed.path.write_text(followed.path.read_text() + STEPS[number % 4] + "\n")
        if number == 30:
            followed.stop(wait=False)
    panel.refresh()
    assert 3 < len(drawn) <= 3.1 / 0.25 + 2
    assert "stopped" in panel._head.value


def test_the_button_stops_and_goes_on(followed: Tail) -> None:
    """Its name says what it will do, its tooltip what of."""
    panel = live(followed)
    assert panel._button.description == "Stop"
    assert "app.log" in panel._button.tooltip
    panel._button.click()
    followed.stop()
    assert (panel._button.description, followed.state) == ("Go on", "stopped")
    panel._button.click()
    assert followed.is_running


def test_the_receipt_holds_the_last_state(followed: Tail, shown: list[tuple[dict[str, str], bool]]) -> None:
    """Shown once, then replaced in place; the last one says that and how it ended."""
    panel = live(followed)
    panel._ipython_display_()
    until(lambda: followed.pulse().records == 17)
    panel.stop()
    assert [update for _, update in shown] == [False] + [True] * (len(shown) - 1)
    assert shown[-1][0]["text/plain"].startswith("Last state of app.log: stopped")
    assert "1 alarm" in shown[-1][0]["text/plain"]
    assert shown[-1][0]["text/html"].startswith("<pre ")


def test_without_its_kernel_the_panel_is_a_sentence(followed: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dump of widgets stands above the receipt of a mailed notebook."""
    shown: list[dict[str, object]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data))
    live(followed)._ipython_display_()
    assert shown[0]["text/plain"] == "The panel needs its kernel; what it said last is below."
    assert "application/vnd.jupyter.widget-view+json" in shown[0]


@pytest.mark.parametrize("given", ["app.log", None])
def test_what_is_no_tail_has_no_panel(given: object) -> None:
    """It says what makes one."""
    with pytest.raises(InputError, match=r"a panel is of a tail, not of type .*; give dl\.tail\(log, case, detector\)"):
        live(given)  # type: ignore[arg-type]


def test_a_second_panel_takes_the_place_of_the_first(followed: Tail) -> None:
    """A cell that is run again leaves no second callback behind."""
    live(followed)
    panel = live(followed)
    assert followed._watchers == [panel.refresh]


def test_a_cell_run_again_begins_with_what_the_case_has(followed: Tail, detector: Detector) -> None:
    """From the first drawing on: all records and alarms, those of this run beside them, and the last alarms."""
    live(followed)
    until(lambda: followed.pulse().records == 17)
    again = live(tail(followed.path, followed.case, detector, layout="text", poll=0.01, settle=0.01))
    assert "<div>17 records · 1 alarm · 0 gaps</div><div>since " in texts(again)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts(again)
    with followed.path.open("a") as file:
        file.write("\n".join(STEPS) + "\n")
    until(lambda: again.tail.pulse().records == 4)
    again.stop()
    assert "\n21 records · 1 alarm · 0 gaps\nsince " in repr(again)
    assert " UTC: 4 records · 0 alarms · 0 gaps\n" in repr(again)
    assert "<script" not in texts(again)


def test_the_receipt_is_a_few_seconds_behind_at_most(
    followed: Tail, shown: list[tuple[dict[str, str], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts alone are written after three seconds, the time alone after thirty, the end at once."""
    now = [0.0]
    panel = Panel(followed, clock=lambda: now[0])
    panel._ipython_display_()
    ticks = iter(followed)
    until(lambda: next(ticks) and followed.pulse().records == 17)
    now[0] = 100.0
    panel.refresh()
    with followed.path.open("a") as file:
        file.write("\n".join(STEPS) + "\n")
    until(lambda: next(ticks) and followed.pulse().records == 21)
    told = []
    monkeypatch.setattr(panel, "_words", lambda: [f"{now[0]}: {followed.pulse().records}"])
    for second in range(1, 40):
        now[0] = 100.0 + second
        before = len(shown)
        panel.refresh()
        told += [shown[-1][0]["text/plain"]] * (len(shown) - before)
    assert told == ["103.0: 21", "133.0: 21"]
    with followed.path.open("a") as file:
        file.write("\n".join(STEPS) + "\n")
    until(lambda: next(ticks) and followed.pulse().records == 25)
    ticks.close()
    panel.refresh()
    assert shown[-1][0]["text/plain"] == "139.0: 25"


def test_a_second_tail_of_the_same_log_ends_the_first(followed: Tail, detector: Detector) -> None:
    """A cell that makes its tail anew is harmless: the one before stops."""
    followed.start()
    second = tail(followed.path, followed.case, detector, layout="text", poll=0.01).start()
    assert (followed.is_running, second.is_running) == (False, True)
    second.stop()


def test_an_error_is_shown(followed: Tail, shown: list[tuple[dict[str, str], bool]]) -> None:
    """What ends the background stands in the panel and in the receipt."""
    followed.path.write_bytes(b"\x7fELF" + bytes(5000))
    panel = live(followed)
    panel._ipython_display_()
    assert followed._thread
    followed._thread.join(10)
    assert "failed: " in texts(panel)
    assert "a program (ELF)" in shown[-1][0]["text/plain"]
    assert "height:15em;overflow:hidden" not in panel._lines.value  # nothing will come into that space
    followed.error = None


def test_waiting_ends_with_an_interrupt(followed: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt of the cell that waits stops the tail in order."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    panel = live(followed)
    monkeypatch.setattr("deeplog_nb.controls.live.time.sleep", interrupted)
    panel.wait()
    assert followed.state == "stopped"


def test_a_receipt_that_is_nowhere_is_not_updated(shown: list[tuple[dict[str, str], bool]]) -> None:
    """Nor is one whose words are the same."""
    receipt = Receipt()
    receipt.update(["a"])
    receipt.show(["a"])
    receipt.update(["a"])
    assert shown == [(bundle(["a"]), False)]


def test_a_failing_callback_does_not_end_the_tail(followed: Tail) -> None:
    """The log is judged all the same, and the state says what failed."""
    followed.watch(lambda: 1 / 0)
    ticks = iter(followed)
    next(ticks)
    next(ticks)
    assert followed.state == "following (showing it failed: division by zero)"
    del ticks
    gc.collect()
    assert followed.state == "stopped"


def test_what_a_button_cannot_do_is_said_in_the_panel(followed: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a callback stands where the reader looks."""

    def refused(tail: Tail) -> Tail:
        raise DeepLogError("another one takes longer")

    panel = Panel(followed)
    monkeypatch.setattr(Tail, "start", refused)
    panel._button.click()
    assert "failed: another one takes longer" in panel._head.value
