"""The live graph in Chromium: a hundred hostile texts do nothing there, and would do harm in pyvis's own page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deeplog_nb.views.graph import graph
from deeplog_nb.views.network import OPTIONS, network
from tests.views.workflows import HOSTILE, hostile, session, workflow

pytestmark = pytest.mark.browser


class Opened:
    """A page of a file, offline, and all that it asked for, said and ran."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light") -> None:
        context = browser.new_context(offline=True, viewport={"width": 940, "height": 900}, color_scheme=scheme)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append("a dialog"), dialog.dismiss()))
        self.page.goto(path.as_uri())

    @property
    def outside(self) -> list[str]:
        """What was asked for beside the file itself."""
        return [url for url in self.asked[1:] if not url.startswith(("data:", "about:", "blob:"))]

    def ran(self) -> bool:
        """Whether any script of the log's ran, in the page or in a frame of it."""
        return any(bool(frame.evaluate("Boolean(window.RAN)")) for frame in self.page.frames)

    def live(self) -> Any:
        """The frame of the live graph, once it is drawn."""
        frame = self.page.frames[1]
        frame.wait_for_selector("html.live", timeout=20_000)
        return frame


def test_the_saved_graph_opens_offline_and_draws(browser: Any, tmp_path: Path) -> None:
    """No request, no complaint; the live graph lies over the static picture, which is there without it."""
    opened = Opened(browser, graph(workflow(), session(44, 51, 99)).save(tmp_path / "graph.html"))
    live = opened.live()
    assert live.evaluate("document.querySelector('canvas').width") > 400
    assert live.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.page.evaluate("document.querySelector('img').naturalWidth") == 880
    assert opened.page.locator("img").bounding_box() == opened.page.locator("iframe").bounding_box()
    assert (opened.outside, opened.said) == ([], [])


def test_the_table_is_there_for_keyboard_and_screen_reader(browser: Any, tmp_path: Path) -> None:
    """It unfolds by a key, has heads and a row an edge; buttons and graph have names and take the focus."""
    opened = Opened(browser, graph(workflow(), least=0).save(tmp_path / "graph.html"), "dark")
    opened.page.locator("summary").press("Enter")
    assert opened.page.get_by_role("columnheader").count() == 8
    assert opened.page.get_by_role("row").count() == 1 + 10
    assert opened.page.get_by_role("img").get_attribute("alt").startswith("Diagram of a workflow.")
    assert [
        opened.live().get_by_role("button", name=name).count() for name in ("larger", "smaller", "whole graph")
    ] == [1] * 3


def test_a_click_tells_of_a_step_in_text(browser: Any, tmp_path: Path) -> None:
    """The whole text of the step that was clicked, its key and its count; of a frame, what is in it."""
    drawn = graph(workflow())
    live = Opened(browser, drawn.save(tmp_path / "graph.html")).live()
    for box in drawn.scene.boxes:
        live.locator("canvas").click(position={"x": box.x, "y": box.y - box.height / 2 + 12}, delay=60)
        live.wait_for_function("text => document.getElementById('told').textContent === text", arg=box.title)


def test_a_click_tells_of_all_edges_of_a_line(browser: Any, tmp_path: Path) -> None:
    """The line into a frame tells of each edge that it stands for."""
    drawn = graph(workflow())
    live = Opened(browser, drawn.save(tmp_path / "graph.html")).live()
    line = next(line for line in drawn.scene.lines if line.title.startswith("2 edges"))
    (x, y), (to_x, _) = line.points
    live.locator("canvas").click(position={"x": (x + to_x) / 2, "y": y + 40}, delay=60)
    live.wait_for_function("text => document.getElementById('told').textContent === text", arg=line.title)


def tall() -> Any:
    """A chain of forty steps, far taller than the window."""
    texts = [(key, f"step {key} of many") for key in range(1, 41)]
    ends = [(at, (at + 1) % 41, "next", 5, 1.0) for at in range(41)]
    return graph(workflow((texts, ends)))


@pytest.mark.parametrize("down", [30, 450, 880])
def test_what_a_click_tells_is_in_view_beside_it(browser: Any, tmp_path: Path, down: int) -> None:
    """In a graph taller than the window, wherever in the window a step is clicked; Escape closes it."""
    opened = Opened(browser, tall().save(tmp_path / "graph.html"))
    live, frame = opened.live(), opened.page.locator("iframe").bounding_box()
    box = tall().scene.boxes[20]
    opened.page.evaluate("y => scrollTo(0, y)", frame["y"] + box.y - down)
    opened.page.mouse.click(frame["x"] + box.x, down, delay=60)
    live.wait_for_function("text => document.getElementById('told').textContent === text", arg=box.title)
    opened.page.wait_for_timeout(200)
    told = live.get_by_role("status").bounding_box()
    assert 0 <= told["y"] <= told["y"] + told["height"] <= 900
    assert abs(told["y"] + told["height"] / 2 - down) < told["height"] / 2 + 30
    opened.page.keyboard.press("Escape")
    live.wait_for_function("() => document.getElementById('told').textContent === ''")


def test_the_wheel_scrolls_the_page_and_zooms_with_ctrl_alone(browser: Any, tmp_path: Path) -> None:
    """A click changes nothing of it."""
    opened = Opened(browser, tall().save(tmp_path / "graph.html"))
    opened.live()

    def seen() -> bytes:
        opened.page.wait_for_timeout(200)
        return bytes(opened.page.screenshot(clip={"x": 200, "y": 200, "width": 500, "height": 500}))

    def rests(last: int) -> int:
        """Where the page comes to rest, which is elsewhere than at last."""
        opened.page.wait_for_function("last => scrollY !== last", arg=last)
        now, before = -1, -2
        while now != before:
            opened.page.wait_for_timeout(300)
            now, before = opened.page.evaluate("scrollY"), now
        return now

    opened.page.mouse.click(60, 500, delay=60)
    opened.page.mouse.wheel(0, 300)
    place, before = rests(0), seen()
    opened.page.mouse.wheel(0, 300)
    assert (further := rests(place)) > place >= 300
    opened.page.mouse.wheel(0, -300)
    assert rests(further) == place
    assert seen() == before
    opened.page.wait_for_timeout(1500)  # Chromium takes what follows a turn of the wheel at once for more of it
    opened.page.mouse.move(70, 510)
    opened.page.keyboard.down("Control")
    opened.page.mouse.wheel(0, -300)
    assert (seen() != before, opened.page.evaluate("scrollY")) == (True, place)


def test_a_narrow_page_says_the_finding_as_text(browser: Any, tmp_path: Path) -> None:
    """Where the picture is scrolled, its title is cut off: there alone it stands above, and within the page."""
    opened = Opened(browser, graph(workflow(), session(44, 51, 0, name=HOSTILE[2])).save(tmp_path / "graph.html"))
    finding = opened.page.locator(".finding")
    assert not finding.is_visible()
    opened.page.set_viewport_size({"width": 400, "height": 900})
    assert finding.inner_text().startswith("Session <img src=x onerror='window.RAN=1'> 2 leaves task 1")
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 400
    assert not opened.ran()


EVERYTHING = """async (scene) => {
  const canvas = document.querySelector('canvas'), clicked = [], hovered = [];
  const scale = canvas.clientWidth / scene.width, at = new Map(scene.nodes.map((node) => [node.id, node]));
  const send = (kind, type, x, y) => canvas.dispatchEvent(new kind(type, {
    bubbles: true, cancelable: true, clientX: x * scale, clientY: y * scale, pointerId: 1, isPrimary: true,
    button: type === 'pointermove' ? -1 : 0, buttons: type === 'pointerdown' ? 1 : 0 }));
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const middle = ({ from, to }) => ({ x: (at.get(from).x + at.get(to).x) / 2, y: (at.get(from).y + at.get(to).y) / 2 });
  for (const { x, y } of [...scene.nodes, ...scene.edges.map(middle)]) {
    send(MouseEvent, 'mousemove', x, y);
    await pause(25);
    hovered.push(document.querySelector('.vis-tooltip')?.textContent ?? '');
    for (const type of ['pointermove', 'pointerdown', 'pointerup']) send(PointerEvent, type, x, y);
    await pause(5);
    clicked.push(document.getElementById('told').textContent);
  }
  return [clicked, hovered];
}"""


def test_a_hundred_hostile_texts_do_nothing(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every node and edge hovered and clicked: 0 scripts run, 0 requests, and each tooltip is the text itself."""
    drawn = graph(hostile(), session(*range(1, 60), 77, name=HOSTILE[0]), full=True)
    monkeypatch.setitem(OPTIONS["interaction"], "tooltipDelay", 1)
    opened = Opened(browser, drawn.save(tmp_path / "graph.html"))
    live = opened.live()
    opened.page.locator("summary").click()
    live_graph, size = network(drawn.scene), {"width": drawn.scene.width}
    clicked, hovered = live.evaluate(EVERYTHING, {"nodes": live_graph.nodes, "edges": live_graph.edges, **size})
    titles = {box.title for box in drawn.scene.boxes} | {line.title for line in drawn.scene.lines}
    assert titles <= set(clicked)
    assert len({title.replace("\n", "") for title in titles} & set(hovered)) > 0.9 * len(titles)
    assert not opened.ran()
    assert (opened.outside, opened.said) == ([], [])
    assert live.evaluate("document.querySelectorAll('img, a, svg, iframe, b, meta[http-equiv=refresh]').length") == 0


def test_the_same_texts_do_harm_in_pyvis_own_page(browser: Any, tmp_path: Path) -> None:
    """The check above can fail: pyvis's template runs what stands in the titles, or asks the network for files."""
    from pyvis.network import Network

    net = Network(notebook=False, cdn_resources="in_line", heading=HOSTILE[2])
    for number, text in enumerate(HOSTILE):
        clean = text.encode("utf-8", "ignore").decode("utf-8").replace("</script>", "")
        net.add_node(number, label=str(number), title=clean)
    path = tmp_path / "pyvis.html"
    path.write_text(net.generate_html(), "utf-8")
    opened = Opened(browser, path)
    opened.page.wait_for_timeout(500)
    assert opened.ran()
    assert opened.outside
