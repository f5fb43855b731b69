"""A graph in a real JupyterLab: live where it was made, picture and table where the notebook is not trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_chart_in_lab import notebook

pytestmark = pytest.mark.browser

CODE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.views.workflows import session, workflow
from deeplog_nb.views.graph import graph
graph(workflow(), session(44, 51, 99))
"""

SEEN = """() => {
    const output = document.querySelector('.jp-OutputArea-output.jp-RenderedHTMLCommon, .jp-RenderedHTML');
    const image = output.querySelector('img');
    return {
        width: image.naturalWidth,
        alt: image.alt,
        rows: output.querySelectorAll('tr').length,
        frames: output.querySelectorAll('iframe').length,
        scripts: output.querySelectorAll('script').length,
    };
}"""


def seen(page: Any) -> Any:
    page.wait_for_selector(".jp-OutputArea-output img")
    return page.evaluate(SEEN)


def live(page: Any) -> Any:
    page.wait_for_selector(".jp-OutputArea-output iframe")
    frame = page.query_selector(".jp-OutputArea-output iframe").content_frame()
    frame.wait_for_selector("html.live")
    return seen(page)


@pytest.fixture(scope="module")
def run(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return lab.run_all(notebook(tmp_path_factory.mktemp("graph") / "graph.ipynb", CODE), look=live)


def test_a_graph_is_live_in_jupyterlab_without_network(run: Any) -> None:
    """The frame draws over the picture; nothing outside is asked for, nothing raised."""
    assert (run.executed, run.errors, run.blocked, run.raised) == (1, [], [], [])
    assert (run.seen["width"], run.seen["frames"], run.seen["scripts"]) == (880, 1, 0)
    assert run.seen["rows"] == 1 + 9


def test_picture_and_table_stay_where_the_notebook_is_not_trusted(lab: Any, run: Any) -> None:
    """Opened from elsewhere and not run: no frame, but the same picture with its words, and the table."""
    mailed = lab.root / "mailed_graph.ipynb"
    mailed.write_text(json.dumps(run.notebook | {"metadata": {"from": "elsewhere"} | run.notebook["metadata"]}))
    asked: list[str] = []
    with lab.opened(mailed.name, asked, asked) as page:
        assert page.get_by_title("Notebook not trusted: 0 of 1 code cells trusted.").count() == 1
        assert seen(page) == run.seen | {"frames": 0}
        page.screenshot(path=lab.root / "mailed_graph.png")
    assert asked == []
