from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

CHART = """
import polars as pl
from deeplog_nb.frames import RANKS
from deeplog_nb.views import rank_cdf
rows = [["a", 0, 1, 1, False, 1, 0.9], ["a", 1, 2, 1, False, 12, 0.01], ["b", 0, 1, 8, False, 2, 0.4]]
rank_cdf(pl.DataFrame(rows, schema=RANKS, orient="row"), g=9)
"""


def notebook(path: Path, *cells: str) -> Path:
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    body = [code | {"id": f"cell-{at}", "source": cell.strip()} for at, cell in enumerate(cells)]
    path.write_text(json.dumps({"cells": body, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


def drawn(page: Any) -> dict[str, Any]:
    page.wait_for_selector(".jp-OutputArea-output .vega-embed svg")
    return page.evaluate("""() => {
        const embed = document.querySelector('.jp-OutputArea-output .vega-embed');
        const box = embed.querySelector('svg').getBoundingClientRect();
        return {
            width: box.width,
            line: embed.querySelector('.mark-line path').getAttribute('d').length,
            texts: [...embed.querySelectorAll('svg text')].map(text => text.textContent),
            links: [...embed.querySelectorAll('.vega-actions a')].map(link => link.textContent),
        };
    }""")


def test_a_chart_is_drawn_in_jupyterlab_without_network(lab: Any, tmp_path: Path) -> None:
    """The picture is live in a real JupyterLab, asks for nothing outside, and raises nothing."""
    run = lab.run_all(notebook(tmp_path / "chart.ipynb", CHART), look=drawn)
    assert (run.executed, run.errors, run.blocked, run.raised) == (1, [], [], [])
    assert run.seen["line"] > 20
    assert "90.0 % of next keys are within the top 9" in run.seen["texts"]
    assert not any("Editor" in link for link in run.seen["links"])
    assert len(run.outputs("image/png")) == 1
