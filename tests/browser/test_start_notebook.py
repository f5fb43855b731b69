"""The start notebook, as its first reader meets it: a real JupyterLab, no network."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "0_start.ipynb"


@pytest.mark.browser
def test_the_start_notebook_runs_from_top_to_bottom_offline(lab):
    """Every cell runs, the chart is drawn, nothing outside is asked for, nothing fails."""
    drawn = []
    run = lab.run_all(
        NOTEBOOK, seconds=180, look=lambda page: drawn.append(page.locator(".vega-embed svg.marks").count())
    )
    assert run.executed == run.cells > 10
    assert drawn == [1]
    assert (run.errors, run.blocked, run.raised) == ([], [], [])
