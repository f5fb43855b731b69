"""The live panel in a real JupyterLab: it follows, it stops by keyboard, and its receipt outlives the kernel."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.browser.conftest import save
from tests.browser.test_chart_in_lab import notebook

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script> $\\alpha$ \x1b[31m"
SETUP = f"""
import threading, time, tempfile
from pathlib import Path
import deeplog_nb as dl
steps = ["open the file", "read a block", "check the sum", "close the file"]
folder = Path(tempfile.mkdtemp())
log = folder / "app.log"
log.write_text("\\n".join(steps * 120) + "\\n")
detector = dl.Detector.fit(dl.read(log), keys=dl.KeyModel(history=3, units=16, layers=1))

def grow():
    for number in range(2000):
        with log.open("a") as file:
            file.write("\\n".join(steps) + "\\n")
            if number == 8:
                file.write({HOSTILE!r} + "\\n")
        time.sleep(0.1)

threading.Thread(target=grow, daemon=True).start()
"""
PANEL = """
tail = dl.tail(log, dl.Case(folder / "case"), detector, poll=0.05, settle=0.05)
dl.live(tail)
"""


def pressed(page: Any) -> dict[str, Any]:
    """What the panel says while it runs, and after Stop was pressed by keyboard; then the notebook is saved."""
    panel = page.locator(".jp-OutputArea-output .widget-vbox").first
    panel.get_by_text("onerror").first.wait_for()
    panel.get_by_text("records a second").wait_for()
    running = panel.inner_text()
    page.get_by_role("button", name="Stop", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Go on").wait_for()
    page.get_by_text("Last state of app.log: stopped").wait_for()
    save(page)
    breaks = page.get_by_text("Last state of").first.evaluate("pre => getComputedStyle(pre).wordBreak")
    return {"running": running, "stopped": panel.inner_text(), "breaks": breaks, **harm(page)}


def harm(page: Any) -> dict[str, Any]:
    """What a line of the log would have changed, had it been taken for more than text."""
    return {"title": page.title().split(" ")[0], "images": page.locator("img[src=x]").count()}


@pytest.fixture(scope="module")
def run(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    done = lab.run_all(notebook(tmp_path_factory.mktemp("live") / "live.ipynb", SETUP, PANEL), look=pressed)
    return replace(done, notebook=json.loads((lab.root / "live.ipynb").read_text("utf-8")))  # as it was saved last


def test_the_panel_shows_rate_and_alarm_and_stops_by_keyboard(run: Any) -> None:
    """While the log grows it says how fast and what is wrong; Enter on the button ends it."""
    assert (run.executed, run.errors, run.blocked, run.raised) == (2, [], [], [])
    assert "app.log: following" in run.seen["running"]
    assert "1 alarm" in run.seen["running"]
    assert "app.log:517 · unseen: never seen in training · <img" in run.seen["running"]
    assert "app.log: stopped" in run.seen["stopped"]


def test_hostile_lines_are_text_in_the_panel(run: Any) -> None:
    """A line that is markup, script, mathematics and a terminal's colour is shown as its characters."""
    assert (run.seen["title"], run.seen["images"]) == ("live.ipynb", 0)
    assert "<script>document.title='hacked'</script> $\\alpha$ \\x1b[31m" in run.seen["stopped"]


def test_the_last_state_stays_in_the_saved_notebook(run: Any) -> None:
    """Saved is how it ended, as plain text and as escaped HTML, in an output of its own."""
    *_, text = run.outputs("text/plain")
    first, numbers, alarm, _ = text.splitlines()
    assert first.startswith("Last state of app.log: stopped, ")
    assert "1 alarm" in numbers
    assert alarm.startswith("  alarm  app.log:517 · unseen")
    (page,) = run.outputs("text/html")
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert run.seen["breaks"] == "normal"  # between words, and not within 0.0002


def test_the_last_state_is_read_where_no_kernel_is(lab: Any, run: Any) -> None:
    """Mailed, opened elsewhere and not run, the notebook shows the receipt and runs nothing."""
    mailed = lab.root / "sent.ipynb"
    mailed.write_text(json.dumps(run.notebook | {"metadata": {"from": "elsewhere"} | run.notebook["metadata"]}))
    asked: list[str] = []
    with lab.opened(mailed.name, asked, asked) as page:
        page.get_by_text("Last state of app.log: stopped").wait_for()
        assert page.get_by_text("alarm  app.log:517").count() == 1
        assert harm(page) == {"title": "sent.ipynb", "images": 0}
    assert asked == []
