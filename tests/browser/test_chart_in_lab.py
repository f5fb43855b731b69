from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

CHART = """
import polars as pl
from deeplog_nb.frames import RANKS
from deeplog_nb.views import Progress, rank_cdf
rows = [["a", 0, 1, 1, False, 1, 0.9], ["a", 1, 2, 1, False, 12, 0.01], ["b", 0, 1, 8, False, 2, 0.4]]
rank_cdf(pl.DataFrame(rows, schema=RANKS, orient="row"), g=9)
"""

PROGRESS = """
with Progress("training keys") as report:
    for epoch in range(1, 2001):
        report(f"epoch {epoch}")
"""


def notebook(path: Path, *sources: str) -> Path:
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [code | {"id": f"cell-{at}", "source": source.strip()} for at, source in enumerate(sources)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


def drawn(page: Any) -> Any:
    page.wait_for_selector(".jp-OutputArea-output .vega-embed svg")
    return page.evaluate("""() => {
        const embed = document.querySelector('.jp-OutputArea-output .vega-embed');
        const texts = selector => [...embed.querySelectorAll(selector)].map(found => found.textContent);
        return {
            line: embed.querySelector('.mark-line path').getBoundingClientRect().width,
            texts: texts('svg text'),
            menu: texts('.vega-actions a'),
        };
    }""")


@pytest.fixture(scope="module")
def run(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return lab.run_all(notebook(tmp_path_factory.mktemp("chart") / "chart.ipynb", CHART, PROGRESS), look=drawn)


def test_a_chart_is_drawn_in_jupyterlab_without_network(run: Any) -> None:
    """The picture is live in a real JupyterLab, asks for nothing outside, and raises nothing."""
    assert (run.executed, run.errors, run.blocked, run.raised) == (2, [], [], [])
    assert run.seen["line"] > 400
    assert "90.0 % of next keys are within the top 9" in run.seen["texts"]
    assert run.screenshot.stat().st_size > 10_000


def test_a_drawn_chart_offers_no_way_out_of_the_machine(run: Any) -> None:
    """The chart's menu saves pictures and shows the source; no item sends the data to the web."""
    assert run.seen["menu"] == ["Save as SVG", "Save as PNG", "View Source"]


def test_progress_leaves_one_output_with_the_last_step(run: Any) -> None:
    """Two thousand steps are one output in the saved notebook, and it says how the work ended."""
    chart, *rest = run.outputs("text/plain")
    assert (chart[:6], rest) == ("90.0 %", ["training keys · epoch 2000"])


def test_a_chart_is_drawn_where_the_notebook_is_not_trusted(lab: Any, run: Any) -> None:
    """A notebook from elsewhere, opened and not run, draws its charts as live as where it was made."""
    mailed = lab.root / "mailed.ipynb"
    mailed.write_text(json.dumps(run.notebook | {"metadata": {"from": "elsewhere"} | run.notebook["metadata"]}))
    asked: list[str] = []
    with lab.opened(mailed.name, asked, asked) as page:
        assert page.get_by_title("Notebook not trusted: 0 of 2 code cells trusted.").count() == 1
        assert drawn(page) == run.seen
    assert asked == []
